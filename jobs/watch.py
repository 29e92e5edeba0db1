"""Following one step to its end: its state and its log, at an interval that the caller sets.

Our own loop, not ADS's: ``ads opctl watch`` exits 0 on FAILED, takes 98 s on a run that is over,
and a deployment's ``watch()`` never returns while it is ACTIVE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .clock import Clock
from .errors import JobsError, RefusedError, StepFailedError, UnreachableError
from .record import Entry
from .run_log import LogLine

# How many failed looks in a row are taken for the network's or OCI's passing trouble.
PATIENCE = 5
# Lines asked for at each look, the most that OCI Logging gives in an answer: at DEBUG the driver of
# each node writes hundreds before the training starts.
TAIL = 1000

Observe = Callable[[Entry], Entry]
Tail = Callable[[Entry], Iterable[LogLine]]


class View(Protocol):
    """Who shows the progress."""

    def show(self, entry: Entry) -> None:
        """The step's state, new or not."""

    def log(self, step: str, line: LogLine) -> None:
        """A line of the step's log, not shown before."""

    def say(self, text: str) -> None:
        """A sentence about what happens."""


@dataclass
class Follower:
    """What following needs; *keep* is called with every entry that differs from the last."""

    view: View
    clock: Clock
    interval: float
    keep: Callable[[Entry], None]
    seen: set[str] = field(default_factory=set)
    log_trouble: str = ""

    def follow(self, entry: Entry, observe: Observe, tail: Tail | None = None) -> Entry:
        """Look until the step has ended; the entry as it was then.

        Raises:
            RefusedError, UnreachableError: OCI failed :data:`PATIENCE` times in a row, or said
            something that does not pass.
        """
        misses = 0
        self.view.show(entry)
        while True:
            try:
                entry = self._look(entry, observe)
                misses = 0
            except (RefusedError, UnreachableError) as error:
                misses += 1
                if misses >= PATIENCE or not _passes(error):
                    raise
                self.view.say(f"{error.what.splitlines()[0]} Looking again.")
            if tail is not None and entry.started is not None:
                self._log(entry, tail)
            if entry.ended:
                return entry
            self.clock.sleep(self.interval)

    def _look(self, entry: Entry, observe: Observe) -> Entry:
        now = observe(entry)
        if now != entry:
            self.keep(now)
        self.view.show(now)
        return now

    def _log(self, entry: Entry, tail: Tail) -> None:
        """Show new lines. An unreadable log is said once: it is no reason to stop following."""
        try:
            lines = list(tail(entry))
        except JobsError as error:
            trouble = error.what.splitlines()[0]
            if trouble != self.log_trouble:
                self.view.say(trouble)
            self.log_trouble = trouble
            return
        for line in lines:
            if line.id not in self.seen:
                self.seen.add(line.id)
                self.view.log(entry.step, line)


def require_success(entry: Entry, log: Iterable[str] = ()) -> Entry:
    """The entry, if its step ended well.

    Raises:
        StepFailedError: it did not; with OCI's words, and the lines of its *log* that say why.
    """
    if entry.done:
        return entry
    said = f" OCI says: {entry.details}" if entry.details else ""
    ocid = entry.ids.get("job_run") or entry.ids[entry.kind]
    whole = f"Read its log with 'python -m jobs logs {entry.step}'; " if entry.kind == "job" else ""
    lines = [f"{entry.step} ended {entry.shown_state}.{said}", ocid]
    if told := [f"  | {line}" for line in log]:
        lines += [f"Its log says last ({len(told)} lines):", *told]
    raise StepFailedError("\n".join(lines), f"{whole}'python -m jobs run' tries again.")


def _passes(error: JobsError) -> bool:
    return isinstance(error, UnreachableError) or (
        isinstance(error, RefusedError) and error.passing
    )
