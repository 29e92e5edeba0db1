"""Start a server from a test, and end it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .announcement import FILE, ServerFile

_COMES_UP = 60.0  # seconds
_GOES_DOWN = 20.0  # seconds
# Wherever the package lies, the server finds it there too.
_PARENT = Path(__file__).resolve().parents[2]


class ServerDidNotStartError(RuntimeError):
    """``python -m ocimock serve`` ended, or was silent for a minute. What it said is on stderr."""


def started_server(
    home: Path, *options: str, stdout: IO[bytes] | None = None
) -> tuple[subprocess.Popen[bytes], ServerFile]:
    """A server that is up, for its caller to end.

    :param home: folder for its certificate, credentials and ``server.json``.
    :param options: further ones of ``python -m ocimock serve``.
    :param stdout: where what it prints goes; nowhere by default.
    :raises ServerDidNotStartError: it is not up.
    """
    command = [sys.executable, "-m", "ocimock", "serve", "--home", str(home), *options]
    # One that was killed left its file behind.
    (home / FILE).unlink(missing_ok=True)
    path = os.pathsep.join(filter(None, [str(_PARENT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.Popen(command, env=environment, stdout=stdout or subprocess.DEVNULL)
    deadline = time.monotonic() + _COMES_UP
    while (found := ServerFile.read(home)) is None:
        if process.poll() is not None:
            raise ServerDidNotStartError(f"{' '.join(command)}: exit code {process.returncode}")
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise ServerDidNotStartError(f"{' '.join(command)}: not up after {_COMES_UP:.0f} s")
        time.sleep(0.02)
    return process, found


@contextmanager
def running_server(home: Path, *options: str) -> Iterator[ServerFile]:
    """A server of its own, from its start to its end; see :func:`started_server`."""
    process, found = started_server(home, *options)
    try:
        yield found
    finally:
        process.terminate()
        try:
            process.wait(timeout=_GOES_DOWN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
