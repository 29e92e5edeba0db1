"""``python -m ocimock coverage``, and the page of the documentation that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ocimock import coverage
from ocimock.cli import app
from ocimock.registry import services

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "ocimock-coverage.md"


def _printed(*options: str) -> str:
    result = CliRunner().invoke(app, ["coverage", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_counts_for_every_service_and_for_all() -> None:
    counted = {}
    for line in _printed().splitlines():
        name, implemented, _, known = line.split()
        counted[name] = (int(implemented), int(known))
    total = counted.pop("all")
    assert counted.keys() == services().keys()
    assert all(0 < implemented <= known for implemented, known in counted.values())
    assert total == tuple(map(sum, zip(*counted.values(), strict=True)))


def test_it_lists_what_a_service_does_not_answer() -> None:
    missing = _printed("--missing", "artifacts").split()
    assert "list_generic_artifacts" in missing
    assert not set(missing) & set(services()["artifacts"].handlers)
    found = coverage.of_service("artifacts")
    assert found.known == len(missing) + len(found.implemented)


@pytest.mark.parametrize(
    ("name", "hint"), [("datascence", "did you mean 'datascience'?"), ("xyz", "objectstorage")]
)
def test_a_service_that_is_not_there(name: str, hint: str) -> None:
    result = CliRunner().invoke(app, ["coverage", "--missing", name], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert hint in result.output


def test_the_page_of_the_documentation_is_fresh() -> None:
    """``make coverage-table`` writes it."""
    assert _PAGE.read_text() == _printed("--markdown")
