"""A mocked tenancy that verifies signatures, in both of its faces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ocimock import MockedTenancy, ServedCloud, mock_oci
from ocimock.cloud import Settings
from ocimock.server.announcement import ServerFile
from tests.ocimock.state_check import checked_cloud

SERVER_OPTIONS = ("--pace", "0", "--verify-signatures")


@contextmanager
def strict_tenancy(face: str, server: ServerFile) -> Iterator[MockedTenancy]:
    """A fresh tenancy in the process, or behind *server*, which has those options."""
    with pytest.MonkeyPatch.context() as patch:
        if face == "process":
            patch.setattr("ocimock.inprocess.Cloud", checked_cloud)
            with mock_oci(Settings(verify_signatures=True)) as found:
                yield found
            return
        served = ServedCloud(server)
        served.reset()
        for name, text in served.environment.items():
            patch.setenv(name, text)
        yield served
