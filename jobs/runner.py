"""The engine: the pipeline's steps in order, each to a good end, by what the ledger says.

Every turn reads the ledger and does the next thing; what it does is written down before and after.
So a process that is killed anywhere, here or on another machine, is gone on from: nothing that
decides is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from . import machines, states
from .attempts import GONE, Attempted, definition
from .clock import Clock
from .decisions import Action, Decision
from .definitions import Definition
from .errors import BudgetError, RefusedError, StepFailedError, UnreachableError
from .fingerprints import definition_of
from .judging import Judge
from .ledger import Ledger
from .pipeline import Pipeline, Step
from .record import Entry, Run
from .run_log import Reader
from .runtime_limit import RuntimeLimit
from .standing import Standing
from .submissions import Submissions, need_done, under_way
from .watch import Follower, View

# A session that has run out says nothing about what was submitted: it is gone on with later.
_NOT_SIGNED_IN = 401
_TURNED_AWAY = (RefusedError, UnreachableError, StepFailedError)


def _nothing() -> None:
    """Where nobody else may lead."""


@dataclass(frozen=True)
class Runner:
    """Takes the steps of one pipeline. *interval* is in seconds between two looks.

    *beat* is called at every look, *confirm* before anything is submitted: they raise where
    another process has taken over the lead.
    """

    pipeline: Pipeline
    definitions: Mapping[str, Definition]
    ledger: Ledger
    view: View
    clock: Clock
    interval: float = 10.0
    beat: Callable[[], None] = _nothing
    confirm: Callable[[], None] = _nothing

    def run(self, *, fresh: bool = False) -> Run:
        """Every step in order, going on from the ledger; all of them anew when *fresh*.

        Raises:
            StepFailedError: a step ended badly, and the failure policy says to stop.
            RefusedError, UnreachableError: OCI takes no submission.
            BudgetError: a submission could pass the spending limit.
            RecordError: an earlier submission of a step, by another definition, is under way.
        """
        if fresh:
            self._need_all_ended()
        self._standing.begin(fresh=fresh)
        try:
            for step in self.pipeline:
                self._take(step)
        except BudgetError:
            self.ledger.end("FAILED")
            raise
        self._standing.is_now("SUCCEEDED")
        return self.ledger.read()

    def submit(self, name: str) -> Entry:
        """Submit one step, or go on with a submission that was cut short; returns without waiting.

        Raises:
            RecordError: a step that it builds on has not ended well, or the last submission of
                the step itself is still under way: two would write to the same place.
            RefusedError, UnreachableError: OCI takes no submission.
            BudgetError: it could pass the spending limit.
        """
        step, run = self.pipeline.step(name), self.ledger.read()
        for needed in step.needs:
            need_done(run.need(needed), name)
        self._standing.begin(fresh=False)
        decision = self._decide(step)
        if decision.action is Action.FOLLOW and decision.entry and not decision.entry.ended:
            raise under_way(decision.entry)
        if decision.action is Action.RESUME:
            return self._once(step, self._standing.attempts(step)[-1])
        found = self._submissions.clear(step)
        if found is not None and not found.ended:
            return found
        return self._once(step, self._submissions.begin(step, 0))

    def _once(self, step: Step, attempted: Attempted) -> Entry:
        """Submit and do not wait, whatever the failure policy says to a refusal."""
        try:
            return self._submissions.send(step, attempted)
        except _TURNED_AWAY as error:
            self._judge.refused(step, error)
            raise

    def follow(self, entry: Entry) -> Entry:
        """Follow a submitted step to its end, however that is."""
        follower = Follower(self.view, self.clock, self.interval, keep=self.ledger.put)
        if "job_run" not in entry.ids:
            return follower.follow(entry, self._observed)
        limit = RuntimeLimit(self._definition(entry), self.view.say)
        return follower.follow(
            entry,
            lambda each: limit.look(self._observed(each), self.clock.now()),
            Reader().new,
            machines.look,
        )

    # --- one step, a turn at a time ----------------------------------------------------------

    def _take(self, step: Step) -> None:
        """One step to a good end."""
        while True:
            decision = self._decide(step)
            if decision.action is not Action.JUDGE:
                self.view.say(f"{step.name}: {decision.reason}")
            if decision.action is Action.LEAVE and decision.entry is not None:
                self.view.show(decision.entry)
                return
            self._standing.is_now("RUNNING")
            if self._turn(step, decision):
                return

    def _turn(self, step: Step, decision: Decision) -> bool:
        """The next thing to do; whether the step ended well by that."""
        entry = decision.entry
        if decision.action is Action.JUDGE:
            self._judge.judge(step, entry)
            return False
        if decision.action is Action.FOLLOW and entry is not None:
            return self._finish(step, entry)
        if decision.action is Action.RESUME:
            return self._try(step, self._standing.attempts(step)[-1])
        if decision.action is Action.WAIT:
            return self._again(step)
        return self._anew(step, 0)

    def _again(self, step: Step) -> bool:
        """Wait as was decided, then submit: the same attempt once more, or the next."""
        last = self._standing.attempts(step)[-1]
        if last.waiting is None:
            return False
        self._wait_until(last.waiting.until)
        if last.keeps_its_key and last.waiting.definition == last.definition:
            self._standing.note_begun(step, last)
            return self._try(step, last)
        return self._anew(step, last.waiting.definition)

    def _anew(self, step: Step, number: int) -> bool:
        """A new attempt, unless OCI has the last one without our knowing."""
        if self._submissions.clear(step) is not None:
            return False
        return self._try(step, self._submissions.begin(step, number))

    def _try(self, step: Step, attempted: Attempted) -> bool:
        """Submit, and follow to the end; a failure is judged."""
        try:
            entry = self._submissions.send(step, attempted)
        except _TURNED_AWAY as error:
            if isinstance(error, RefusedError) and error.status == _NOT_SIGNED_IN:
                raise
            self._judge.refused(step, error)
            return False
        return self._finish(step, entry)

    def _finish(self, step: Step, entry: Entry) -> bool:
        ended = self.follow(entry)
        if not ended.done:
            self._judge.ended(step, ended)
        return ended.done

    def _need_all_ended(self) -> None:
        """Before all is taken anew: two of a step would write to the same place."""
        for entry in self.ledger.read().entries.values():
            if now := states.under_way(entry):
                raise under_way(now)

    # --- looking -----------------------------------------------------------------------------

    def _decide(self, step: Step) -> Decision:
        """What to do, after a look at what may have changed since it was written down."""
        entry = self._standing.own(step)
        if entry is not None and (not entry.ended or entry.kind in ("model", "deployment")):
            try:
                self._put(entry, states.observe(entry))
            except RefusedError as error:
                if error.status != 404 or self._submissions.lists(step):
                    raise
                self.ledger.note(GONE, step.name, **entry.ids)
        return self._standing.decide(step)

    def _observed(self, entry: Entry) -> Entry:
        self.beat()
        return states.observe(entry)

    def _put(self, before: Entry, now: Entry) -> None:
        if now != before:
            self.ledger.put(now)

    def _definition(self, entry: Entry) -> Definition:
        """The one that an entry was submitted by."""
        found = self._standing.attempts(self.pipeline.step(entry.step))
        own = next((each for each in found if each.key == entry.key), None)
        step = self.pipeline.step(entry.step)
        return definition(own) if own else definition_of(step, self.definitions)

    def _wait_until(self, until: datetime) -> None:
        while (left := (until - self.clock.now()).total_seconds()) > 0:
            self._wait(min(left, self.interval))

    def _wait(self, seconds: float) -> None:
        self.beat()
        self.clock.sleep(seconds)

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self.pipeline, self.definitions, self.ledger)

    @cached_property
    def _submissions(self) -> Submissions:
        return Submissions(self._standing, self.clock, self.confirm)

    @cached_property
    def _judge(self) -> Judge:
        submissions = self._submissions
        return Judge(
            self.ledger, self.view, self.clock, self.interval, self._wait,
            submissions.take_back, submissions.affordable,
        )  # fmt: skip
