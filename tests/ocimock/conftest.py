"""A mocked tenancy in the process, and a server of its own for the tests that need a port."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocimock import MockedCloud, mock_oci
from ocimock.server.serve import ServerFile

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    """A running ``python -m ocimock serve``, in which everything happens at once."""
    home = tmp_path_factory.mktemp("a home")
    command = [sys.executable, "-m", "ocimock", "serve", "--home", str(home), "--pace", "0"]
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


@pytest.fixture
def mocked() -> Iterator[MockedCloud]:
    """A fresh mocked tenancy in this process."""
    with mock_oci() as found:
        yield found
