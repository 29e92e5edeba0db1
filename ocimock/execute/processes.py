"""Starts what runs outside ocimock's own process: :mod:`ocimock.execute.sandbox`."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .sandbox.frames import Channel

_HERE = str(Path(__file__).parent)
# Last on the path: the standard library's names stay its own. -I and -S: nothing else is on it.
_BOOT = f"import sys; sys.path.append({_HERE!r}); from sandbox.fabric import main; main()"
_NO_ENVIRONMENT: dict[str, str] = {}


def start(
    kind: str, *words: str, files: Sequence[int] = ()
) -> tuple[Channel, subprocess.Popen[bytes]]:
    """A process of *kind*, and the channel to it: when that is closed the process ends.

    :param words: what else it is told. *files* stay open in it.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        # Away from the terminal: Ctrl-C is for ocimock, which ends what it started.
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, kind, str(number), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=_NO_ENVIRONMENT, pass_fds=(number, *files), start_new_session=True, cwd="/",
        )  # fmt: skip
    return Channel(ours), process


def last_words(process: subprocess.Popen[bytes]) -> str:
    """The last line of what a process that failed had to say."""
    _, text = process.communicate()
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"


def wait(process: subprocess.Popen[bytes]) -> None:
    """Until it ended; nothing of it stays open here."""
    process.communicate()
