"""A pipeline that is cancelled lets Terraform end what it is at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.errors import GitopsError
from gitops.processes import run
from tests.e2e.conftest import ROOT

# In Terraform's place: told to end, it ends what it is at.
_SLOW = """\
#!/bin/bash
trap 'echo whole >"{folder}/ended"; exit 1' INT
mkfifo "{folder}/never"
echo "$$" >"{folder}/began.tmp" && mv "{folder}/began.tmp" "{folder}/began"
while :; do read -t 0.05 <>"{folder}/never"; done
"""
_CALLER = """\
import signal, sys
from gitops import cli
from gitops.processes import run
signal.signal(signal.SIGTERM, cli._terminate)
try:
    run([sys.argv[1]], openly=True)
except KeyboardInterrupt:
    print("after it")
"""


def test_terminated_it_waits_for_what_it_started(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text(_SLOW.format(folder=tmp_path))
    slow.chmod(0o755)
    caller = subprocess.Popen(
        [sys.executable, "-c", _CALLER, str(slow)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "began").exists():
        assert caller.poll() is None
    caller.send_signal(signal.SIGTERM)
    printed, _ = caller.communicate(timeout=30)
    assert (tmp_path / "ended").read_text() == "whole\n"
    assert printed == "after it\n"


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(GitopsError, match="no-such-terraform is not installed"):
        run(["no-such-terraform"])
