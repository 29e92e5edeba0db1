"""The machines that nodes can have here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ocimock.execute.machines import best_machine
from ocimock.execute.namespaces import NamespacedMachine
from ocimock.execute.nodes import Machine
from ocimock.execute.plain import PlainMachine
from tests.ocimock.execute.launching import Launcher


@cache
def _why_no_namespaces() -> str:
    return best_machine("auto").reason


def namespaced(*hidden: Path) -> Machine:
    """A machine that keeps nodes apart, or a skip that says why there is none."""
    if _why_no_namespaces():
        pytest.skip(f"no namespaces here: {_why_no_namespaces()}")
    return NamespacedMachine(hidden)


@pytest.fixture(params=["namespaces", "none"])
def launcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Launcher]:
    """In both machines."""
    machine = namespaced() if request.param == "namespaces" else PlainMachine()
    yield Launcher(machine, tmp_path)
    machine.close()


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Launcher]:
    """In the machine that keeps nodes apart."""
    machine = namespaced()
    yield Launcher(machine, tmp_path)
    machine.close()
