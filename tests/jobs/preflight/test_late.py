"""Without preflight the broken tenancies fail later, and as docs/preflight.md says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.preflight.broken_tenancies import BROKEN, BrokenTenancy
from tests.jobs.preflight.late import BEGIN, END, PAGE, run_late
from tests.jobs.preflight.whole import Neighbours, neighbours


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest.fixture(scope="module")
def rows() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].splitlines()[3:]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_it_fails_late_as_the_page_says(
    broken: BrokenTenancy, around: Neighbours, rows: list[str], tmp_path: Path
) -> None:
    late = run_late(broken, tmp_path / "home", around)
    assert broken.late in late.said
    assert late.row in rows, "make preflight-table"


def test_the_page_has_a_row_for_each(rows: list[str]) -> None:
    assert [row.split("|")[1].strip() for row in rows] == [each.name for each in BROKEN]
