"""The runner's benchmarks still run. Their figures are not looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("module", "rows"),
    [
        ("runner_fleet", ("lists of 100", "a get each", "calls a minute")),
        ("runner_overhead", ("ADS alone", "the runner", "jobs --help", "jobs status")),
    ],
)
def test_it_measures_all_that_it_should(module: str, rows: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", "--quick"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for row in rows:
        assert row in done.stdout
