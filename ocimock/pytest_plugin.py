"""Fixtures for pytest.

Where ocimock is installed they are simply there; elsewhere a ``conftest.py`` says
``pytest_plugins = ["ocimock.pytest_plugin"]``. Nothing else is imported before a test asks for one
of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import MockedCloud, ServedCloud


@pytest.fixture
def oci_cloud() -> Iterator[MockedCloud]:
    """A fresh mocked tenancy in this process: every client of the test is caught."""
    from . import mock_oci

    with mock_oci() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def oci_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCloud]:
    """A server for the whole session, on a free loopback port; everything happens at once in it.

    It changes no environment: ``oci_server.environment`` is what clients need in theirs.
    """
    from . import ServedCloud
    from .server.running import running_server

    with running_server(tmp_path_factory.mktemp("ocimock"), "--pace", "0") as server:
        yield ServedCloud(server)


@pytest.fixture
def oci_served(oci_server: ServedCloud, monkeypatch: pytest.MonkeyPatch) -> ServedCloud:
    """A fresh tenancy in the session's server, for the test and for the commands that it starts.

    They find it by their environment, which holds credentials, proxy and certificate.
    """
    oci_server.reset()
    for name, text in oci_server.environment.items():
        monkeypatch.setenv(name, text)
    return oci_server
