"""One mocked tenancy: its store, clock, identifiers and settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from .clock import Clock
from .faults import Faults
from .identifiers import (
    COMPARTMENT_ID,
    DEFAULT_REGION,
    HOME_REGION,
    NAMESPACE,
    TENANCY_ID,
    USER_ID,
    OcidFactory,
)
from .store import Blobs, Store
from .wire.message import Response


@dataclass(frozen=True)
class Settings:
    """What a mock is told at its start.

    *run_seconds* is how long a simulated job run takes from ACCEPTED to its end, *deploy_seconds*
    how long a model deployment stays CREATING; both are scaled by the clock's pace. *fail_runs*
    holds words: a simulated run fails whose job's name contains one of them (in any case), and so
    does a deployment of such a name. *verify_signatures* refuses calls that are not signed as OCI
    wants it, *enforce_iam* those that no policy of the tenancy allows. *faults* are rules that
    stand from the start, see :mod:`ocimock.fault_rules`.
    """

    tenancy_id: str = TENANCY_ID
    compartment_id: str = COMPARTMENT_ID
    user_id: str = USER_ID
    namespace: str = NAMESPACE
    home_region: str = HOME_REGION
    region: str = DEFAULT_REGION
    run_seconds: float = 6.0
    deploy_seconds: float = 3.0
    fail_runs: tuple[str, ...] = ()
    verify_signatures: bool = False
    enforce_iam: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallRecord:
    """One call that reached the mock, for assertions and for ``/ocimock/calls``."""

    service: str
    operation: str
    method: str
    path: str
    status: int


class Cloud:
    """The state that all services share. Handlers run under :attr:`lock`, one at a time."""

    def __init__(self, settings: Settings | None = None, *, clock: Clock | None = None) -> None:
        # Services register their seeds and events when they are imported, and they import this.
        from .registry import services

        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.store = Store()
        self.blobs = Blobs()
        self.ids = OcidFactory()
        self.faults = Faults(self.settings.faults)
        self.lock = threading.RLock()
        self.calls: list[CallRecord] = []
        self.retry_tokens: dict[str, tuple[str, Response]] = {}
        # Where the server can be reached over plain HTTP; empty in process. Vaults hand it out
        # as their management endpoint.
        self.base_url = ""
        services()
        for plant in _SEEDS:
            plant(self)

    def run_due_events(self) -> None:
        """Let everything happen whose time has come."""
        while (event := self.clock.due()) is not None:
            with self.clock.frozen(event.at):
                _EVENTS[event.name](self, event.subject)


EventHandler = Callable[[Cloud, str], None]
_EVENTS: dict[str, EventHandler] = {}
_SEEDS: list[Callable[[Cloud], None]] = []


def event(name: str) -> Callable[[EventHandler], EventHandler]:
    """Register the handler of the clock's event *name*: ``handler(cloud, ocid)``."""

    def register(handler: EventHandler) -> EventHandler:
        _EVENTS[name] = handler
        return handler

    return register


def seed(handler: Callable[[Cloud], None]) -> Callable[[Cloud], None]:
    """Register what a fresh tenancy holds already."""
    _SEEDS.append(handler)
    return handler
