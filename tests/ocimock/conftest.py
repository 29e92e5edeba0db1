"""A mocked tenancy in the process, and a server of its own for the tests that need a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ocimock import MockedCloud, mock_oci
from ocimock.server.announcement import ServerFile
from tests.servers import running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    """A running ``python -m ocimock serve``, in which everything happens at once."""
    with running_server(tmp_path_factory.mktemp("a home"), "--pace", "0") as found:
        yield found


@pytest.fixture
def mocked() -> Iterator[MockedCloud]:
    """A fresh mocked tenancy in this process."""
    with mock_oci() as found:
        yield found
