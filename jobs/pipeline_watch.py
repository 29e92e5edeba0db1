"""Watching a pipeline: all its steps, those that another process submits later too, to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import history, machines
from .clock import Clock
from .errors import RefusedError, StepFailedError, UnreachableError
from .failure import decisive
from .ledger import Ledger
from .record import Entry, Run
from .run_log import Reader, last_words
from .states import latest
from .watch import Extras, Patience, View, require_success

ObserveAll = Callable[[Sequence[Entry]], list[Entry]]
"""The entries with what OCI says now, in their order: one call for all job runs."""


@dataclass
class PipelineWatch:
    """What watching needs; *interval* is in seconds between two looks.

    *led* says whether a process leads the pipeline: then more steps may come, and the ledger is
    that process' to write. *step* is the only one to watch, where it is given.
    """

    ledger: Ledger
    view: View
    clock: Clock
    observe: ObserveAll
    led: Callable[[], bool]
    interval: float = 10.0
    step: str = ""
    _seen: dict[str, Entry] = field(default_factory=dict)
    _extras: dict[str, Extras] = field(default_factory=dict)
    _followed: set[str] = field(default_factory=set)
    _told: int = 0
    _was_led: bool = False

    def watch(self) -> None:
        """Until the pipeline is over; or, where none leads it, until nothing of it runs.

        Raises:
            StepFailedError: it, or the last of its steps, did not end well.
            RefusedError, UnreachableError: OCI failed for long, or said what does not pass.
        """
        patience = Patience(self.view, self.clock)
        self._told = max((event.number for event in self.ledger.events()), default=0)
        self._followed = {entry.step for entry in self._going() or self._latest()}
        while True:
            self._tell()
            leads = self.led()
            self._was_led |= leads
            try:
                self._look(keep=not leads)
                patience.met()
            except (RefusedError, UnreachableError) as error:
                patience.miss(error)
            if self._is_over(leads):
                break
            self.clock.sleep(self.interval)
        self._tell()
        self._judge()

    def _look(self, *, keep: bool) -> None:
        for entry in self._entries():
            if entry.ended and self._seen.get(entry.step) != entry:
                self._seen[entry.step] = entry
                self.view.show(entry)
        going = self._going()
        for before, now in zip(going, self.observe(going), strict=True):
            self._seen[now.step] = now
            self._followed.add(now.step)
            self.view.show(now)
            if now != before and keep:
                self._keep(before, now)
            self._beside(now)

    def _entries(self) -> list[Entry]:
        """Those of the ledger, as far as nothing newer is known of them here."""
        found = []
        for entry in self.ledger.read().entries.values():
            if self.step in ("", entry.step):
                seen = self._seen.get(entry.step)
                found.append(seen if seen is not None and seen.ids == entry.ids else entry)
        return found

    def _going(self) -> list[Entry]:
        return [entry for entry in self._entries() if not entry.ended]

    def _latest(self) -> list[Entry]:
        entries = {entry.step: entry for entry in self._entries()}
        return [latest(Run(entries))] if entries else []

    def _keep(self, before: Entry, now: Entry) -> None:
        """Write down what OCI says, unless the ledger has another submission by now."""
        stored = self.ledger.read().get(now.step)
        if stored is not None and stored.ids == before.ids:
            self.ledger.put(now)

    def _beside(self, entry: Entry) -> None:
        if "job_run" not in entry.ids:
            return
        run = entry.ids["job_run"]
        if run not in self._extras:
            self._extras[run] = Extras(self.view, self.clock, Reader().new, machines.look)
        self._extras[run].show(entry)

    def _tell(self) -> None:
        """What the ledger tells that was not told yet."""
        for event in self.ledger.events():
            if event.number <= self._told:
                continue
            self._told = event.number
            if event.name in history.TOLD and self.step in ("", event.step):
                self.view.say(f"{event.step}: {history.words(event)}")

    def _is_over(self, leads: bool) -> bool:
        if self._going():
            return False
        pipeline = self.ledger.current()
        if self.step or pipeline is None or pipeline.state != "RUNNING":
            return True
        return not leads and not self.led()

    def _judge(self) -> None:
        pipeline = self.ledger.current()
        badly = pipeline is not None and pipeline.state in ("FAILED", "CANCELED")
        for entry in self._entries():
            if entry.failed and (badly or entry.step in self._followed):
                require_success(entry, _why(entry))
        if pipeline is not None and pipeline.state == "RUNNING" and self._was_led and not self.step:
            raise StepFailedError(
                f"Nobody leads pipeline {pipeline.number} any more, and it has not ended.",
                "'python -m jobs run' goes on with it.",
            )
        if pipeline is not None and badly and not self.step:
            raise StepFailedError(
                f"Pipeline {pipeline.number} ended {pipeline.state}.",
                f"'python -m jobs history {pipeline.number}' says how; 'python -m jobs run' goes "
                "on with it.",
            )


def _why(entry: Entry) -> list[str]:
    if entry.state != "FAILED" or "job_run" not in entry.ids:
        return []
    try:
        return decisive(last_words(entry))
    except (RefusedError, UnreachableError):
        return []
