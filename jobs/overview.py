"""All tenancies whose pipelines were run from this folder, and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import ocid, states
from .clock import Clock
from .errors import RefusedError
from .ledger import Ledger
from .poller import Poller
from .record import Entry
from .tenancy import Tenancy

LEDGERS = Path(".tunestack")


def ledgers(clock: Clock) -> dict[str, Ledger]:
    """The ledger of each tenancy, by its name."""
    found = sorted(path.parent.name for path in LEDGERS.glob("*/ledger.db"))
    return {name: Ledger(Tenancy(name).ledger, clock) for name in found}


@dataclass
class Observer:
    """Sees how the entries of one tenancy stand in OCI: all its job runs by one call.

    The compartment is that of the first run that is observed, which is asked once. Observers that
    have the same *pollers*, by compartment and region, share that one call too.
    """

    clock: Clock
    interval: float = 10.0
    pollers: dict[tuple[str, str], Poller] = field(default_factory=dict)
    _poller: Poller | None = None

    def observe(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with what OCI says now, in their order; what it has no more is DELETED.

        Raises:
            RefusedError, UnreachableError: OCI refused, or did not answer.
        """
        poller = self._poller or next(filter(None, map(self._found, entries)), None)
        if poller is None:
            return [states.observed_or_gone(entry) for entry in entries]
        self._poller = poller
        return poller.observe_all(entries)

    def _found(self, entry: Entry) -> Poller | None:
        """The poller for the run's compartment; None where OCI has it no more, or it is none."""
        run = entry.ids.get("job_run")
        if run is None:
            return None
        region = ocid.region(run)
        try:
            compartment = states.job_run(entry, region).compartment_id
        except RefusedError as error:
            if error.status != 404:
                raise
            return None
        made = Poller(compartment, self.interval, self.clock, region)
        return self.pollers.setdefault((compartment, region), made)
