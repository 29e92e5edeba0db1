"""Watching the pipelines of all tenancies of this folder: their states, not their logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import Clock
from .errors import RefusedError, StepFailedError, UnreachableError
from .ledger import Ledger
from .overview import Observer
from .poller import Poller
from .record import Entry
from .watch import Patience, View

MakeView = Callable[[str], View]
"""A view of the tenancy of that name."""


@dataclass
class _Tenancy:
    """What is watched of one. *failed* are the steps that were seen to end badly."""

    ledger: Ledger
    view: View
    observer: Observer
    patience: Patience
    seen: dict[str, Entry] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def going(self) -> list[Entry]:
        """Entries of the ledger that have not ended, as far as is known."""
        found = []
        for entry in self.ledger.read().entries.values():
            seen = self.seen.get(entry.step)
            newest = seen if seen is not None and seen.ids == entry.ids else entry
            if not newest.ended:
                found.append(newest)
        return found

    def look(self) -> None:
        for entry in self.ledger.read().entries.values():
            if entry.ended:
                self.view.show(entry)
        for entry in self.observer.observe(self.going()):
            self.seen[entry.step] = entry
            self.view.show(entry)
            self.failed.discard(entry.step)
            if entry.failed:
                self.failed.add(entry.step)


@dataclass
class WatchAll:
    """*led* says whether a process leads the pipeline of the tenancy of that name."""

    ledgers: dict[str, Ledger]
    view: MakeView
    clock: Clock
    led: Callable[[str], bool]
    interval: float = 10.0
    pollers: dict[tuple[str, str], Poller] = field(default_factory=dict)

    def watch(self) -> None:
        """Until nothing runs, and none leads a pipeline.

        Raises:
            StepFailedError: a step ended badly while it was watched.
            RefusedError, UnreachableError: OCI failed for long, or said what does not pass.
        """
        watched = {name: self._tenancy(name, ledger) for name, ledger in self.ledgers.items()}
        while True:
            for each in watched.values():
                try:
                    each.look()
                    each.patience.met()
                except (RefusedError, UnreachableError) as error:
                    each.patience.miss(error)
            if not any(each.going() or self.led(name) for name, each in watched.items()):
                break
            self.clock.sleep(self.interval)
        failed = [f"{name}: {step}" for name, each in watched.items() for step in each.failed]
        if failed:
            raise StepFailedError(
                f"Not all ended well: {', '.join(failed)}.",
                "'python -m jobs status --all' says how.",
            )

    def _tenancy(self, name: str, ledger: Ledger) -> _Tenancy:
        view = self.view(name)
        observer = Observer(self.clock, self.interval, self.pollers)
        return _Tenancy(ledger, view, observer, Patience(view, self.clock))
