"""docs/images/sizing-memory.svg shows what sizing computes today."""

from __future__ import annotations

import itertools
import json

from tools import sizing_plot


def test_the_drawing_is_of_todays_numbers() -> None:
    found = sizing_plot.numbers()
    stale = "make sizing-plot"
    assert json.loads(sizing_plot.DATA.read_text()) == found, stale
    assert sizing_plot.digest(found) in sizing_plot.DRAWING.read_text(), stale


def test_more_nodes_and_more_gpus_never_take_more() -> None:
    for panel in sizing_plot.numbers()["panels"]:
        sharing = [line for line in panel["lines"] if line["gpus_per_node"] > 1]
        for line in sharing:
            assert line["expected"] == sorted(line["expected"], reverse=True)
        for fewer, more in itertools.pairwise(sharing):
            pairs = zip(fewer["expected"], more["expected"], strict=True)
            assert all(one >= other for one, other in pairs)
