"""One mocked tenancy: its store, clock, identifiers and settings."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .capacity import Capacity
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
from .images import Images
from .limits import Limits
from .retry_tokens import RetryTokens
from .store import Blobs, Store

if TYPE_CHECKING:
    from .execute.executor import Execution
    from .store.state_file import StateFile

# How many calls are remembered, so that a mock that runs for weeks does not grow.
_CALLS = 20_000
_TIME = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Settings:
    """What a mock is told at its start.

    *run_seconds* is how long a simulated job run takes from ACCEPTED to its end, *deploy_seconds*
    how long a model deployment stays CREATING; both are scaled by the clock's pace. *run_times* has
    the seconds of some runs, after a word of their job's name: ``fine-tuning: 9000``. *fail_runs*
    holds words: a simulated run fails whose job's name contains one of them (in any case), and so
    does a deployment of such a name. How it fails may follow a word, in the words that really run
    nodes end by: ``finetune: exit code 137: node 1 was killed``. *verify_signatures* refuses calls
    that are not signed as OCI wants it, *enforce_iam* those that no policy of the tenancy allows.
    With *enforce_network* a simulated run fails that could not work in the subnet that its job
    names: for want of addresses, routes, gateways or security rules.
    *faults* are rules that stand from the start, see :mod:`ocimock.fault_rules`.

    In the process, runs and deployments are always simulated: what really runs calls the mock by a
    port, so only ``python -m ocimock serve --execute FILE`` can have it.
    """

    tenancy_id: str = TENANCY_ID
    compartment_id: str = COMPARTMENT_ID
    user_id: str = USER_ID
    namespace: str = NAMESPACE
    home_region: str = HOME_REGION
    region: str = DEFAULT_REGION
    run_seconds: float = 6.0
    deploy_seconds: float = 3.0
    run_times: tuple[str, ...] = ()
    fail_runs: tuple[str, ...] = ()
    verify_signatures: bool = False
    enforce_iam: bool = False
    enforce_network: bool = False
    # The PEM of the seeded user's API key; empty for none.
    public_key: str = ""
    faults: tuple[str, ...] = ()

    def failure(self, name: str) -> str | None:
        """How a run of the job *name*, or a deployment of that name, is to fail: '' in no special
        way, None not at all."""
        for told in self.fail_runs:
            word, _, how = told.partition(": ")
            if word.lower() in name.lower():
                return how
        return None

    def seconds_of(self, name: str) -> float:
        """How long a simulated run of the job *name* takes."""
        for told in self.run_times:
            word, _, seconds = told.rpartition(": ")
            if word.lower() in name.lower():
                return float(seconds)
        return self.run_seconds

    def __post_init__(self) -> None:
        """:raises ValueError: a region that the installed SDK does not know, or no time."""
        from .places import region_names

        for field, region in (("region", self.region), ("home_region", self.home_region)):
            if region not in region_names():
                raise ValueError(f"{field}: the OCI SDK knows no region '{region}'")
        for told in self.run_times:
            word, _, seconds = told.rpartition(": ")
            if not word or not _TIME.fullmatch(seconds):
                raise ValueError(f"run_times: '{told}' is not as in 'fine-tuning: 9000'")


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

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        state: StateFile | None = None,
        blobs: Blobs | None = None,
        execution: Execution | None = None,
    ) -> None:
        """*state* is the file that everything goes into, and from which it is taken up again.

        *blobs* is where bodies go that no state file keeps, if they are to outlive this mock.
        *execution* really runs job runs and deployments; without, they are simulated.

        :raises StateFileError: the file is of another tenancy, or can't be written.
        """
        # Services register their seeds and events when they are imported, and they import this.
        from .registry import services

        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.store = Store()
        self.blobs = state.blobs if state is not None else blobs or Blobs()
        self.ids = OcidFactory()
        self.faults = Faults(self.settings.faults)
        self.limits = Limits(self)
        self.capacity = Capacity(self)
        self.images = Images(self)
        self.lock = threading.RLock()
        self.calls: deque[CallRecord] = deque(maxlen=_CALLS)
        self.retry_tokens = RetryTokens()
        self.execution = execution
        # What services work out from the records and may forget: indexes.
        self.derived: dict[str, Any] = {}
        self._state = state
        self._saving = False
        services()
        with self.lock, self._saved():
            fresh = state is None or not state.load(self)
            for plant in _SEEDS if fresh else _RESUMED:
                plant(self)

    @contextlib.contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[None]:
        """First everything happens whose time has come, then what the block does.

        When the block ends, all of it is in the state file, if there is one. A block that is only
        *reading* promises to change nothing.

        :raises StateFileError: the file can't be written. Then nothing of it has happened.
        """
        with self.lock, self._saved():
            happened = self.clock.is_due()
            if happened:
                self._run_due_events()
            elif reading:
                self.store.unwatch()
            yield

    def forget(self) -> None:
        """Drop what stands, for a state file to say anew what does."""
        self.store.clear()
        self.derived.clear()

    def run_due_events(self) -> None:
        """Let everything happen whose time has come."""
        with self.transaction():
            pass

    def _run_due_events(self) -> None:
        while (event := self.clock.due()) is not None:
            with self.clock.frozen(event.at):
                _EVENTS[event.name](self, event.subject)

    @contextlib.contextmanager
    def _saved(self) -> Iterator[None]:
        """Whatever the block changes goes into the state file, also where it fails."""
        if self._state is None or self._saving:
            yield
            return
        self._saving = True
        try:
            with self._state.kept(self):
                yield
        finally:
            self._saving = False


EventHandler = Callable[[Cloud, str], None]
_EVENTS: dict[str, EventHandler] = {}
Seed = Callable[[Cloud], None]
_SEEDS: list[Seed] = []
_RESUMED: list[Seed] = []


def event(name: str) -> Callable[[EventHandler], EventHandler]:
    """Register the handler of the clock's event *name*: ``handler(cloud, ocid)``."""

    def register(handler: EventHandler) -> EventHandler:
        _EVENTS[name] = handler
        return handler

    return register


def seed(handler: Seed) -> Seed:
    """Register what a fresh tenancy holds already."""
    _SEEDS.append(handler)
    return handler


def resumed(handler: Seed) -> Seed:
    """Register what is made sure of when a tenancy is taken up again from its state file."""
    _RESUMED.append(handler)
    return handler
