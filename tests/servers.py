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


@contextmanager
def running_server(home: Path, *options: str) -> Iterator[ServerFile]:
    """A server of its own, from its start to its end, with its files in *home*."""
    command = [sys.executable, "-m", "ocimock", "serve", "--home", str(home), *options]
    process = subprocess.Popen(command, cwd=_ROOT)
    try:
        deadline = time.monotonic() + 60
        while (found := ServerFile.read(home)) is None:
            assert process.poll() is None, "the server ended before it was up"
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.02)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert ServerFile.read(home) is None, "server.json outlived its server"
