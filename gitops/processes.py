"""Run a command, and let it end in its own time: Terraform must never be killed half-way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import GitopsError


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: a pipeline was cancelled."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    printed: str
    said: str


def run(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    openly: bool = False,
) -> Done:
    """Run *command*; what it prints is caught, or goes to this terminal where *openly* is set.

    When this process is told to end, the command is too, once, and is waited for: told twice,
    Terraform breaks off and leaves the state locked. It is in a process group of its own, as a
    terminal's Ctrl-C goes to a whole group and what cancels a pipeline to one process.

    Raises:
        GitopsError: it is not installed.
    """
    caught = None if openly else subprocess.PIPE
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=caught,
            stderr=caught,
            text=True,
            errors="replace",
            process_group=0,
        )
    except FileNotFoundError:
        raise GitopsError(
            f"{command[0]} is not installed, or not on the PATH.",
            "'make setup' says what this project needs.",
        ) from None
    try:
        printed, said = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        _wait(process)
        raise
    return Done(process.returncode, printed or "", said or "")


def _wait(process: subprocess.Popen[str]) -> None:
    """Until it has ended. GitHub sends SIGINT, and SIGTERM seconds later: that is the same wish."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            process.communicate()
            return
