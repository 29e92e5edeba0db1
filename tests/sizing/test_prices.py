"""Oracle's price list: what is read of it, and what it says of each shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sizing.prices import PriceListError, Row, read, rows
from sizing.shapes import listed

LIST = (Path(__file__).parent / "data" / "price_list.json").read_text(encoding="utf-8")
FOUND = {(row.shape, row.field): row for row in rows(listed().values(), read(LIST))}


def hourly(shape: str) -> Row:
    return FOUND[shape, "price_per_hour"]


def test_a_gpus_price_is_that_of_its_part_times_its_gpus() -> None:
    assert hourly("VM.GPU.A10.1").found == 2.25
    assert hourly("VM.GPU.A10.2") == Row("VM.GPU.A10.2", "price_per_hour", 4.0, 4.5)
    assert hourly("BM.GPU.A10.4").found == 9.0
    assert hourly("VM.GPU.A10.2").changed


def test_what_costs_the_same_has_not_changed() -> None:
    assert hourly("BM.GPU.H100.8").found == 80.0, "not the licence for it, and not in euros"
    assert not hourly("BM.GPU.H100.8").changed


def test_flexible_shapes_are_priced_by_their_parts_past_the_free_tier() -> None:
    assert FOUND["VM.Standard.E3.Flex", "price_per_ocpu_hour"].found == 0.025
    assert FOUND["VM.Standard.E3.Flex", "price_per_gb_hour"].found == 0.0015, "the older form"
    assert FOUND["VM.Standard.A1.Flex", "price_per_ocpu_hour"].found == 0.011
    free = FOUND["VM.Standard.A1.Flex", "price_per_gb_hour"]
    assert (free.found, free.why) == (None, "part B93298 has no price there")


def test_fixed_shapes_are_priced_by_their_ocpus() -> None:
    assert hourly("VM.Standard2.24").found == pytest.approx(24 * 0.0638)


def test_what_the_list_lacks_is_told_and_left() -> None:
    gone = hourly("BM.GPU4.8")
    assert (gone.before, gone.found, gone.changed) == (24.4, None, False)
    assert gone.why == "the list has no part B92740"
    other = hourly("BM.GPU.L40S.4")
    assert other.why == "part B109479 is by 'Node Per Hour' there, not by 'GPU Per Hour'"


def test_the_list_says_its_day() -> None:
    assert read(LIST).updated == "2026-12-01"
    without = {**json.loads(LIST)}
    del without["lastUpdated"]
    assert read(json.dumps(without)).updated == ""


def test_names_are_told_in_one_form() -> None:
    assert read(LIST).items["B95909"].name == "Compute - GPU - A10"


def _euros() -> Any:
    loaded = json.loads(LIST)
    for item in loaded["items"]:
        for each in item.get("currencyCodeLocalizations", item.get("prices")):
            each["currencyCode"] = "EUR"
    return loaded


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html>", "it is no JSON"),
        ("[]", "it has no 'items'"),
        ('{"items": []}', "it has no 'items'"),
        ('{"items": [{"displayName": "x"}]}', "an item has not the fields"),
        ('{"items": [3]}', "an item has not the fields"),
        (json.dumps(_euros()), "no item has a price in USD"),
    ],
)
def test_what_is_no_price_list_is_refused(text: str, why: str) -> None:
    with pytest.raises(PriceListError, match=why):
        read(text)
