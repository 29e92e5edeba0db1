"""A running ``python -m ocimock serve`` for the tests that need a port."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocimock.server.announcement import ServerFile

_ROOT = Path(__file__).resolve().parents[1]


def started_server(home: Path, *options: str) -> tuple[subprocess.Popen[bytes], ServerFile]:
    """A server that is up, for its caller to end."""
    command = [sys.executable, "-m", "ocimock", "serve", "--home", str(home), *options]
    # One that was killed left its file behind.
    (home / "server.json").unlink(missing_ok=True)
    process = subprocess.Popen(command, cwd=_ROOT)
    deadline = time.monotonic() + 60
    while (found := ServerFile.read(home)) is None:
        assert process.poll() is None, "the server ended before it was up"
        assert time.monotonic() < deadline, "the server did not come up"
        time.sleep(0.02)
    return process, found


@contextmanager
def running_server(home: Path, *options: str) -> Iterator[ServerFile]:
    """A server of its own, from its start to its end, with its files in *home*."""
    process, found = started_server(home, *options)
    try:
        yield found
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert ServerFile.read(home) is None, "server.json outlived its server"
