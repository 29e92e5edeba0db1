"""Lead the pipeline, or follow who does: two ``jobs run`` at once make one of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .attempts import FAILED, OVER_BUDGET
from .clock import Clock
from .errors import LostLeadError, RefusedError, StepFailedError, UnreachableError
from .leading import Leadership
from .ledger import Ledger, PipelineRecord
from .record import Entry, Run
from .watch import Extras, View, require_success

Lead = Callable[[bool], Run]
"""Runs the pipeline to its end. True says: one that another process began is to be gone on with."""


@dataclass
class Following:
    """What following a leader needs. *interval* is in seconds between two looks; *extras* makes
    what shows a run's log and machines, None shows neither."""

    leadership: Leadership
    ledger: Ledger
    view: View
    clock: Clock
    interval: float = 10.0
    extras: Callable[[], Extras] | None = None
    _shown: dict[str, Entry] = field(default_factory=dict)
    _beside: dict[str, Extras] = field(default_factory=dict)

    def lead_or_follow(self, lead: Lead) -> Run:
        """Run *lead* when this process may; else follow to the leader's outcome. When the leader
        dies before that, lead on.

        Raises:
            StepFailedError: the pipeline ended badly, here or where it was led.
        """
        before: PipelineRecord | None = None
        followed = False
        while True:
            if self.leadership.acquire():
                with self.leadership:
                    if followed and (outcome := self._outcome(before)) is not None:
                        return outcome
                    if followed:
                        self.view.say("The leader is gone: this process leads on.")
                    try:
                        return lead(followed)
                    except LostLeadError as error:
                        self.view.say(str(error))
            self._look()
            before = self.ledger.current()
            followed = True
            self.follow()

    def follow(self) -> None:
        """Show what the leader does, until nobody leads; begins nothing."""
        said = ""
        while (leader := self.leadership.leader()) is not None:
            if str(leader) != said:
                said = str(leader)
                self.view.say(f"{said}, leads this pipeline: following it.")
            self._look()
            self.clock.sleep(self.interval)
        if not said:  # nobody to name: one begins or ends to lead at this moment
            self.clock.sleep(min(self.interval, 1.0))

    def _look(self) -> None:
        self._pull()
        for step, entry in self.ledger.read().entries.items():
            if self._shown.get(step) != entry:
                self._shown[step] = entry
                self.view.show(entry)
            if self.extras is not None and "job_run" in entry.ids and not entry.ended:
                run = entry.ids["job_run"]
                self._beside.setdefault(run, self.extras()).show(entry)

    def _pull(self) -> None:
        try:
            self.leadership.pull()
        except (RefusedError, UnreachableError) as error:
            self.view.say(f"{error.what.splitlines()[0]} Looking again.")

    def _outcome(self, before: PipelineRecord | None) -> Run | None:
        """How the followed pipeline ended; None where it has not, or it was over already when
        following began.

        Raises:
            StepFailedError: it ended badly.
        """
        now = self.ledger.current()
        if now is None or now.state == "RUNNING" or _same(now, before):
            return None
        run = self.ledger.read()
        for entry in run.entries.values():
            self.view.show(entry)
        if now.state == "SUCCEEDED":
            return run
        raise self._failure(now, run)

    def _failure(self, now: PipelineRecord, run: Run) -> StepFailedError:
        """Why it ended badly, as its leader wrote down."""
        failed = next(
            (each for each in reversed(self.ledger.events()) if each.name in (FAILED, OVER_BUDGET)),
            None,
        )
        if failed is None:
            return StepFailedError(
                f"The pipeline that was followed ended {now.state}.",
                "See 'python -m jobs history'; 'python -m jobs run' tries again.",
            )
        if failed.name == OVER_BUDGET:
            return StepFailedError(failed.details["reason"], failed.details["advice"])
        entry = run.get(failed.step)
        try:
            if entry is not None and entry.failed:
                require_success(entry, failed.details["lines"])
        except StepFailedError as error:
            return error
        return StepFailedError(
            f"{failed.step}: {failed.details['reason']}", failed.details["advice"]
        )


def _same(now: PipelineRecord, before: PipelineRecord | None) -> bool:
    """Numbers differ between machines."""
    return before is not None and replace(now, number=0) == replace(before, number=0)
