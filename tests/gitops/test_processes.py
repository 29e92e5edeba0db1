"""A pipeline that is cancelled lets Terraform end what it is at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops.errors import GitopsError
from gitops.processes import run
from tests.e2e.conftest import ROOT

# In Terraform's place: told to end, it ends what it is at; told twice, it breaks off. Signals are
# waited for and not handled: a shell that gets one in a loop may leave the loop.
_SLOW = """\
import signal, sys
from pathlib import Path

folder, told = Path(sys.argv[1]), 0
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
(folder / "began").touch()
while told < 2 and not (told and (folder / "done").exists()):
    if signal.sigtimedwait([signal.SIGINT], 0.02):
        told += 1
        (folder / "told").touch()
told += bool(signal.sigtimedwait([signal.SIGINT], 0.5))  # a second one may be on its way
(folder / "ended").write_text("whole" if told == 1 else "broken")
"""
_CALLER = """\
import signal, sys
from gitops import cli
from gitops.processes import run
signal.signal(signal.SIGTERM, cli._terminate)
try:
    run([sys.executable, *sys.argv[1:]], openly=True)
except KeyboardInterrupt:
    print("after it")
"""


# Each goes to the one process: GitHub's runner sends the second a few seconds after the first.
@pytest.mark.parametrize("second", [None, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_has_what_it_started_end(
    tmp_path: Path, first: signal.Signals, second: signal.Signals | None
) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(_SLOW)
    caller = subprocess.Popen(
        [sys.executable, "-c", _CALLER, str(slow), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 120
    for mark, told in (("began", first), ("told", second)):
        while not (tmp_path / mark).exists():
            assert caller.poll() is None
            assert time.monotonic() < limit, f"never {mark}"
        if told is not None:
            caller.send_signal(told)
    (tmp_path / "done").touch()
    printed, _ = caller.communicate(timeout=120)
    assert (tmp_path / "ended").read_text() == "whole"
    assert printed == "after it\n"


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(GitopsError, match="no-such-terraform is not installed"):
        run(["no-such-terraform"])
