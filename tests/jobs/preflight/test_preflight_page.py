"""docs/preflight.md names every check with its question."""

from __future__ import annotations

from jobs.preflight.checks import all_checks
from tests.jobs.preflight.late import PAGE


def test_every_check_has_its_row_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    told = text.partition("| check | question |\n|---|---|\n")[2].partition("\n\n")[0]
    assert told.splitlines() == [f"| {each.name} | {each.question} |" for each in all_checks()]
