"""When a step has failed: why, written down; and what is done about it, written down as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .attempts import (
    AGAIN,
    FAILED,
    STOPPED,
    Attempted,
    attempts,
    definition,
    failed_details,
    failed_in_a_row,
)
from .classify import classify, of_error
from .clock import Clock
from .errors import JobsError, StepFailedError
from .failure import explained
from .ledger import Ledger
from .pipeline import Step
from .policy import LOST, Cause, Failure, Stop, next_move
from .record import Entry, Run, as_data, entry_of
from .run_log import last_words
from .runtime_limit import reached_maximum
from .watch import View, passes, require_success

LOG_DELAY = 90.0
"""Lines of a run's log take up to so many seconds to reach OCI Logging."""


@dataclass(frozen=True)
class Judge:
    """What judging needs. *wait* returns after so many seconds; *take_back* deletes what is
    half-made of an attempt that is given up, and says so; *affordable* are the numbers of a step's
    definitions that are within the budget."""

    ledger: Ledger
    view: View
    clock: Clock
    interval: float
    wait: Callable[[float], None]
    take_back: Callable[[Step, Attempted], str]
    affordable: Callable[[Step], Sequence[int]]

    def ended(self, step: Step, entry: Entry) -> None:
        """A step's run or deployment ended badly.

        Raises:
            StepFailedError: it is not tried again; with the decisive lines of its log.
        """
        failure = self._failure(entry)
        found = attempts(self.ledger.events_of(step.name))
        ended_late = failure.cause in (Cause.CANCELED, *LOST)
        if ended_late and found and reached_maximum(entry, definition(found[-1])):
            failure = replace(failure, cause=Cause.MAXIMUM_RUNTIME)
        kept = as_data(Run({entry.step: entry}))[entry.step]
        self.ledger.note(FAILED, step.name, entry=kept, **failed_details(failure))
        self.judge(step, entry)

    def refused(self, step: Step, error: JobsError) -> None:
        """OCI took no submission. Raises *error* if it is not tried again."""
        failure = of_error(error)
        self.ledger.note(FAILED, step.name, **failed_details(failure))
        self.judge(step, None, error)

    def judge(self, step: Step, entry: Entry | None = None, error: JobsError | None = None) -> None:
        """What to do about the last failure that was written down.

        Raises:
            JobsError: it is not tried again.
        """
        found = attempts(self.ledger.events_of(step.name))
        last = found[-1]
        now = self.clock.now()
        failed, usable = failed_in_a_row(found), self.affordable(step)
        move = next_move(step, last.last.failure, failed, now, last.key, usable)
        if isinstance(move, Stop):
            raise self._stopped(step, last, move, entry, error)
        until = now + timedelta(seconds=move.seconds)
        self.ledger.note(
            AGAIN,
            step.name,
            until=until.isoformat(),
            definition=move.definition,
            reason=move.reason,
        )

    def _stopped(
        self,
        step: Step,
        last: Attempted,
        move: Stop,
        entry: Entry | None,
        error: JobsError | None,
    ) -> JobsError:
        """The error that ends the pipeline, which is FAILED from now on."""
        failure = last.last.failure
        if error is not None:
            deleted = self._deleted(step, last)
            error.what += f"\n{deleted}" if deleted else ""
            if failure.cause is not Cause.REFUSED:
                error.what += f"\nIt is not tried again: {move.reason}."
            error.advice = error.advice or move.advice
        elif entry is not None and not entry.done:
            error = _failed(entry, failure, move)
        else:
            error = StepFailedError(failure.reason, move.advice)
        self.ledger.note(STOPPED, step.name, reason=move.reason)
        self.ledger.end("FAILED")
        return error

    def _deleted(self, step: Step, last: Attempted) -> str:
        try:
            return self.take_back(step, last)
        except JobsError:
            return (
                "What may have been made of it stands: the next 'python -m jobs run' goes on with "
                "it, or deletes it."
            )

    def _failure(self, entry: Entry) -> Failure:
        """Why it failed, by its log where it has one. In OCI the last lines may be on their way
        still: a failure that would be paid for once more is judged by all of them."""
        if entry.state != "FAILED" or entry.started is None or "job_run" not in entry.ids:
            return classify(entry)
        waited, arrives = 0.0, not (entry.simulated or entry.local)
        while True:
            lines, again = self._log(entry)
            failure = classify(entry, lines)
            known = explained(lines) and failure.cause not in LOST
            if waited >= LOG_DELAY or not (again or (arrives and not known)):
                return failure
            self.wait(self.interval)
            waited += self.interval

    def _log(self, entry: Entry) -> tuple[list[str], bool]:
        """The log of a failed run, and whether OCI may only have failed to give it now."""
        try:
            return last_words(entry), False
        except JobsError as error:  # it was said while the run was followed
            return [], passes(error)


def spent_on(ledger: Ledger, pipeline: int | None = None) -> Iterator[Entry]:
    """All that a pipeline has submitted, the current one by default: what stands, and what failed
    before."""
    standing = ledger.read(pipeline).entries
    yield from standing.values()
    keys = {entry.key for entry in standing.values()}
    for event in ledger.events(pipeline):
        if event.name == FAILED and "entry" in event.details:
            entry = entry_of(dict(event.details["entry"]))
            if entry.key not in keys:
                keys.add(entry.key)
                yield entry


def _failed(entry: Entry, failure: Failure, move: Stop) -> JobsError:
    try:
        require_success(entry, failure.lines)
    except StepFailedError as error:
        error.what += f"\nIt is not submitted again: {move.reason}."
        log = f"\nRead its log with 'python -m jobs logs {entry.step}'." if failure.lines else ""
        error.advice = f"{move.advice}{log}"
        return error
    raise AssertionError(entry)
