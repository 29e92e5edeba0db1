"""Submitting a step: an attempt by its kind, and what an earlier one left. All is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import budget, states
from .attempts import FORGOTTEN, GONE, OVER_BUDGET, Attempted, definition
from .clock import Clock
from .errors import BudgetError, RecordError, RefusedError
from .fingerprints import definition_of
from .idempotency import Submission, came_before
from .judging import spent_on
from .pipeline import Step
from .record import Entry, Run
from .standing import Standing


@dataclass(frozen=True)
class Submissions:
    """What submitting needs. *confirm* is called when an attempt is written down and before it is
    sent: it raises where another process has taken over the lead."""

    standing: Standing
    clock: Clock
    confirm: Callable[[], None]

    def begin(self, step: Step, number: int) -> Attempted:
        """A new attempt by the definition number *number*, within the budget and written down.

        Raises:
            BudgetError: it could pass the spending limit.
        """
        standing = self.standing
        chosen = definition_of(step, standing.definitions, number)
        spent = spent_on(standing.ledger)
        try:
            budget.check(standing.pipeline, step, chosen, spent, self.clock.now())
        except BudgetError as error:
            standing.ledger.note(OVER_BUDGET, step.name, reason=error.what, advice=error.advice)
            raise
        attempted = standing.new_attempt(step, number)
        standing.note_begun(step, attempted)
        return attempted

    def affordable(self, step: Step) -> list[int]:
        """The numbers of the step's definitions that are within the budget."""
        standing = self.standing
        chosen = [
            definition_of(step, standing.definitions, number)
            for number in range(len(step.definitions))
        ]
        spent = spent_on(standing.ledger)
        return budget.affordable(standing.pipeline, step, chosen, spent, self.clock.now())

    def send(self, step: Step, attempted: Attempted) -> Entry:
        """Submit an attempt, or go on with what OCI has of it; what came of it is written down.

        Raises:
            RefusedError, UnreachableError: OCI did not take it.
            StepFailedError: what it builds on is not as it should be.
        """
        self.confirm()
        try:
            entry = self._sent(step, attempted)
        except RefusedError as error:
            found = self._found(step, attempted) if came_before(error) else None
            if found is None:
                raise
            entry = found
        return self._keep(entry)

    def clear(self, step: Step) -> Entry | None:
        """Before a new attempt: nothing of the last one may be left half-made, or running.

        Returns what OCI had of it without our knowing, to be gone on with.

        Raises:
            RecordError: the last submission is under way.
        """
        entry, found = self.standing.entry(step), self.standing.attempts(step)
        if entry is not None and (now := states.under_way(entry)):
            raise under_way(now)
        last = found[-1] if found else None
        if (
            last is None
            or last.over in (GONE, FORGOTTEN)
            or (entry is not None and entry.key == last.key)
        ):
            return None
        left = self._found(step, last)
        if left is None:
            self.take_back(step, last)
            return None
        left = self._keep(left)
        if self.standing.is_of_now(step, last):
            if last.over:  # it was given up, and OCI has it after all
                self.standing.note_begun(step, last)
        elif not left.ended:
            raise under_way(left)
        return left

    def lists(self, step: Step) -> bool:
        """Whether OCI lists what came of the last attempt: then a 404 does not say that it is gone,
        but that it may not be read, or not yet.

        Raises:
            RefusedError, UnreachableError: OCI does not say.
        """
        found = self.standing.attempts(step)
        return bool(found) and self._found(step, found[-1]) is not None

    def take_back(self, step: Step, attempted: Attempted) -> str:
        """Delete what is half-made of an attempt that is given up; what was done, in words."""
        from .steps import job, model

        back = {"job": job.take_back, "model": model.take_back}.get(step.kind)
        return back(self._submission(step, attempted)) if back else ""

    def _sent(self, step: Step, attempted: Attempted) -> Entry:
        from .steps import deployment, job, model, smoke

        submission, run = self._submission(step, attempted), self.standing.ledger.read()
        if step.kind == "job":
            return job.submit(submission)
        if step.kind == "model":
            return model.submit(submission, self.standing.definitions, run)
        if step.kind == "deployment":
            return _where(deployment.submit(submission, _model(step, run)), step, run)
        question = self.standing.pipeline.question
        return smoke.ask(submission, _served(step, run), question, self.clock)

    def _found(self, step: Step, attempted: Attempted) -> Entry | None:
        """What OCI has of the attempt, if that is whole."""
        from .steps import deployment, job, model

        finders: dict[str, Callable[[Submission], Entry | None]] = {
            "job": job.find,
            "model": model.find,
            "deployment": deployment.find,
        }
        look = finders.get(step.kind)
        found = look(self._submission(step, attempted)) if look else None
        return _where(found, step, self.standing.ledger.read()) if found else None

    def _keep(self, entry: Entry) -> Entry:
        ledger = self.standing.ledger
        before = ledger.read().get(entry.step)
        if before is not None:
            same = before.key == entry.key
            entry = entry.changed(replaced=before.replaced if same else before.made)
        ledger.put(entry)
        return entry

    def _submission(self, step: Step, attempted: Attempted) -> Submission:
        def note(name: str, **details: object) -> None:
            self.standing.ledger.note(name, step.name, key=attempted.key, **details)

        return Submission(
            tenancy=self.standing.pipeline.tenancy,
            step=step.name,
            key=attempted.key,
            definition=definition(attempted),
            attempt=attempted.number,
            note=note,
        )


def under_way(entry: Entry) -> RecordError:
    """Why a step is not submitted: its last submission has not ended."""
    follow = f"Follow it with 'python -m jobs watch {entry.step}'"
    end = f", or end it with 'python -m jobs cancel {entry.step}'" if entry.kind == "job" else ""
    return RecordError(f"'{entry.step}' is {entry.shown_state} already.", f"{follow}{end}.")


def need_done(needed: Entry, name: str) -> None:
    """Raises :class:`RecordError` for a step whose output *name* needs, and that has none."""
    if needed.done:
        return
    raise RecordError(
        f"'{name}' needs '{needed.step}', which is {needed.shown_state}.",
        f"Submit it again: 'python -m jobs submit {needed.step}'."
        if needed.failed
        else f"Wait for it with 'python -m jobs watch {needed.step}'.",
    )


def _model(step: Step, run: Run) -> str:
    return next(run.need(each).ids["model"] for each in step.needs if "model" in run.need(each).ids)


def _served(step: Step, run: Run) -> Entry:
    return next(run.need(each) for each in step.needs if run.need(each).kind == "deployment")


def _where(entry: Entry, step: Step, run: Run) -> Entry:
    """What stands on a step that was only played is no more real; a job says so itself."""
    if entry.kind == "job" or entry.local:
        return entry
    return entry.changed(
        simulated=entry.simulated or any(run.need(each).simulated for each in step.needs)
    )
