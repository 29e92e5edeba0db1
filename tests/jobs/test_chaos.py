"""Killed anywhere, and run again: one of everything, and the same end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import running_server

ROOT = Path(__file__).resolve().parents[2]
LEAST = 25  # boundaries
KILLED = -9


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("chaos")
    home = folder / "mock"
    with running_server(home, "--pace", "0"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.jobs.chaos", str(home), str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_one_of_everything_wherever_it_was_killed(told: Any) -> None:
    boundaries, outcomes = told["boundaries"], told["outcomes"]
    whole = outcomes.pop("whole")
    assert whole["exit codes"] == [0]
    kinds = [kind for kind, *_ in whole["resources"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "job": 3, "job run": 3, "model": 1, "deployment": 1,
    }  # fmt: skip
    assert all(each[-1] for each in whole["resources"])

    assert len(boundaries) >= LEAST
    for name, outcome in outcomes.items():
        where = f"{name}, killed after '{outcome['killed after']}'"
        assert outcome["exit codes"] == [KILLED, 0], where
        assert outcome["resources"] == whole["resources"], where
        assert outcome["ledger"] == whole["ledger"], where
    faulty = sum(name.startswith("faulty") for name in outcomes)
    assert told["struck"] > faulty
    print(f"\n{len(boundaries)} boundaries, each killed once; {faulty} of them with faults as well")
