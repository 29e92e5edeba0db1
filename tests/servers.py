"""A running ``python -m ocimock serve`` for the tests that need a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocimock.server import running
from ocimock.server.announcement import ServerFile
from ocimock.server.running import started_server

__all__ = ["running_server", "started_server"]


@contextmanager
def running_server(home: Path, *options: str) -> Iterator[ServerFile]:
    """A server of its own, from its start to its end, with its files in *home*."""
    with running.running_server(home, *options) as found:
        yield found
    assert ServerFile.read(home) is None, "server.json outlived its server"
