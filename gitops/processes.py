"""Run a command, and let it end in its own time: Terraform must never be killed half-way."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import GitopsError


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: to this process alone, where Ctrl-C reaches what it started too."""


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

    When this process is told to end, the command is too, and is waited for.

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
        )
    except FileNotFoundError:
        raise GitopsError(
            f"{command[0]} is not installed, or not on the PATH.",
            "'make setup' says what this project needs.",
        ) from None
    try:
        printed, said = process.communicate()
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, TerminatedError):
            process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    return Done(process.returncode, printed or "", said or "")
