"""A tenancy on ocimock with what the definitions name, signed in to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.auth import sign_in
from ocimock import mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.machines import Machine
from tests.jobs.workbench import Faults, Workbench


@pytest.fixture(autouse=True)
def _no_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench has no whole network, and other things are tried on it; tests of the gate take
    this back."""
    monkeypatch.setenv("TUNESTACK_NO_PREFLIGHT", "1")


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as mocked:
        yield mocked


@pytest.fixture
def bench(cloud: MockedCloud) -> Workbench:
    built = workbench.build(cloud)
    sign_in()
    return built


@pytest.fixture
def faults(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return Faults(monkeypatch)


@pytest.fixture
def here(bench: Workbench, tmp_path: Path) -> Machine:
    """One of the machines that share the tenancy's bucket."""
    return Machine(tmp_path / "here")
