"""The runner's benchmarks still run. Their figures are not looked at."""

from __future__ import annotations

import os
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
        ("looking_first", ("jobs plan", "first time", "jobs preflight", "--offline")),
    ],
)
def test_it_measures_all_that_it_should(module: str, rows: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", "--quick"],
        cwd=_ROOT,
        # CDKTF's, where it is started from elsewhere than the Makefile.
        env={**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for row in rows:
        assert row in done.stdout
