"""The benchmark still runs: every call that it measures is made. Its figures are not looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.ocimock_speed", "--moto", "nowhere", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)


def test_it_measures_every_call_in_process_and_through_a_port() -> None:
    done = _run("--quick", "inprocess", "many")
    assert (done.returncode, done.stderr) == (0, "")
    for row in (
        "no moto in nowhere: its columns stay empty; `make bench` installs it",
        "enter and exit:",
        "object put, 1 KiB",
        "object get, 1 KiB",
        "list 1,000 objects",
        "create group",
        "get group",
        "list 20 groups",
        "create job run",
        "first page of 1,000",
        "2,000 objects",
    ):
        assert row in done.stdout


def test_an_unknown_section_is_named_with_those_that_there_are() -> None:
    done = _run("sever")
    assert done.returncode == 2
    assert "no section sever; there are start, inprocess, server, many, large" in done.stderr
