"""Following one step to its end: its state, its log and its machines, at the caller's interval.

Our own loop, not ADS's: ``ads opctl watch`` exits 0 on FAILED, takes 98 s on a run that is over,
and a deployment's ``watch()`` never returns while it is ACTIVE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from .clock import Clock
from .errors import JobsError, RefusedError, StepFailedError, UnreachableError
from .machines import Machines
from .record import Entry
from .run_log import LogLine

# How long OCI may fail, by the clock, before that is taken for more than passing trouble.
PATIENCE = timedelta(minutes=15)
# How often machines are looked at: Monitoring has a value a minute.
MACHINES_EVERY = timedelta(minutes=1)

Observe = Callable[[Entry], Entry]
Tail = Callable[[Entry], Iterable[LogLine]]
Look = Callable[[Entry], Machines]


class View(Protocol):
    """Who shows the progress."""

    def show(self, entry: Entry) -> None:
        """The step's state, new or not."""

    def log(self, step: str, line: LogLine) -> None:
        """A line of the step's log, not shown before."""

    def machines(self, step: str, found: Machines) -> None:
        """How the machines of the step's run are doing."""

    def say(self, text: str) -> None:
        """A sentence about what happens."""


@dataclass
class Patience:
    """Looks through OCI's passing trouble: it is said once, and again when it is over."""

    view: View
    clock: Clock
    _since: datetime | None = None

    def miss(self, error: JobsError) -> None:
        """OCI failed. Raises *error* if that does not pass, or has gone on for :data:`PATIENCE`."""
        now = self.clock.now()
        if not passes(error) or (self._since is not None and now - self._since >= PATIENCE):
            raise error
        if self._since is None:
            self._since = now
            self.view.say(f"{error.what.splitlines()[0]} Looking again.")

    def met(self) -> None:
        """OCI answered."""
        if self._since is not None:
            seconds = int((self.clock.now() - self._since).total_seconds())
            self.view.say(f"OCI answers again, after {timedelta(seconds=seconds)}.")
        self._since = None


@dataclass
class Extras:
    """What is shown beside a step's state. What can't be read is said once: it stops nothing."""

    view: View
    clock: Clock
    tail: Tail | None = None
    look: Look | None = None
    _troubles: set[str] = field(default_factory=set)
    _looked: datetime | None = None

    def show(self, entry: Entry) -> None:
        """New lines of the log; the machines once a minute while the step runs."""
        if entry.started is None:
            return
        if self.tail is not None:
            self._try(lambda: self._lines(entry))
        now = self.clock.now()
        due = now - (self._looked or entry.started) >= MACHINES_EVERY
        if self.look is not None and due and not entry.ended:
            self._looked = now
            self._try(lambda: self._machines(entry))

    def _lines(self, entry: Entry) -> None:
        for line in self.tail(entry) if self.tail else ():
            self.view.log(entry.step, line)

    def _machines(self, entry: Entry) -> None:
        found = self.look(entry) if self.look else Machines()
        if found.words():
            self.view.machines(entry.step, found)

    def _try(self, show: Callable[[], None]) -> None:
        try:
            show()
        except JobsError as error:
            trouble = error.what.splitlines()[0]
            if trouble not in self._troubles:
                self.view.say(trouble)
            self._troubles.add(trouble)


@dataclass
class Follower:
    """What following needs; *keep* is called with every entry that differs from the last."""

    view: View
    clock: Clock
    interval: float
    keep: Callable[[Entry], None]

    def follow(
        self, entry: Entry, observe: Observe, tail: Tail | None = None, look: Look | None = None
    ) -> Entry:
        """Look until the step has ended; the entry as it was then.

        *tail* gives the lines that its log did not have before, *look* how its machines are doing.

        Raises:
            RefusedError, UnreachableError: OCI failed for :data:`PATIENCE`, or said something that
            does not pass.
        """
        patience = Patience(self.view, self.clock)
        extras = Extras(self.view, self.clock, tail, look)
        self.view.show(entry)
        while True:
            try:
                entry = self._look(entry, observe)
                patience.met()
            except (RefusedError, UnreachableError) as error:
                patience.miss(error)
            extras.show(entry)
            if entry.ended:
                return entry
            self.clock.sleep(self.interval)

    def _look(self, entry: Entry, observe: Observe) -> Entry:
        now = observe(entry)
        if now != entry:
            self.keep(now)
        self.view.show(now)
        return now


def require_success(entry: Entry, log: Iterable[str] = ()) -> Entry:
    """The entry, if its step ended well.

    Raises:
        StepFailedError: it did not; with OCI's words, and the lines of its *log* that say why.
    """
    if entry.done:
        return entry
    said = f" OCI says: {entry.details}" if entry.details else ""
    ocid = entry.ids.get("job_run") or entry.ids.get(entry.kind, "")
    whole = f"Read its log with 'python -m jobs logs {entry.step}'; " if entry.kind == "job" else ""
    lines = [f"{entry.step} ended {entry.shown_state}.{said}", *([ocid] if ocid else [])]
    if told := [f"  | {line}" for line in log]:
        lines += [f"Its log says last ({len(told)} lines):", *told]
    raise StepFailedError("\n".join(lines), f"{whole}'python -m jobs run' tries again.")


def passes(error: JobsError) -> bool:
    """Whether looking again later may help: no answer, throttling, or a fault on OCI's side."""
    return isinstance(error, UnreachableError) or (
        isinstance(error, RefusedError) and error.passing
    )
