"""A mocked tenancy in both of its faces, and a server for the tests that need a port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ocimock import MockedTenancy, ServedCloud, mock_oci
from ocimock.server.announcement import ServerFile
from tests.ocimock.state_check import checked_cloud
from tests.ocimock.strict import SERVER_OPTIONS
from tests.servers import running_server

_MODES = ("process", "server")


def pytest_generate_tests(metafunc: Any) -> None:
    """What uses the mocked tenancy runs in both faces, unless it says why not."""
    if "mocked" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("process_only")
    assert marker is None or marker.args, "process_only needs a reason"
    metafunc.parametrize("mocked", _MODES[:1] if marker else _MODES, indirect=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    """A running ``python -m ocimock serve``, in which everything happens at once."""
    with running_server(tmp_path_factory.mktemp("a home"), "--pace", "0") as found:
        yield found


@pytest.fixture
def served_cloud(server: ServerFile) -> Iterator[ServedCloud]:
    """A fresh tenancy in the server; nothing of it is in this process's environment."""
    found = ServedCloud(server)
    found.reset()
    yield found
    found.reset()


@pytest.fixture(scope="session")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    """The same, and it verifies signatures."""
    with running_server(tmp_path_factory.mktemp("strict"), *SERVER_OPTIONS) as found:
        yield found


@pytest.fixture
def mocked(request: pytest.FixtureRequest) -> Iterator[MockedTenancy]:
    """A fresh mocked tenancy: in this process, or behind a port.

    Real users reach the server by their environment only, and so do the clients of a test: they
    call OCI's own host names, come through the proxy and trust its authority.
    """
    if request.param == "process":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ocimock.inprocess.Cloud", checked_cloud)
            with mock_oci() as found:
                yield found
        return
    served = request.getfixturevalue("served_cloud")
    with pytest.MonkeyPatch.context() as patch:
        for name, text in served.environment.items():
            patch.setenv(name, text)
        yield served
