"""The way from the hub to a served model, a step at a time, each written down as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import machines, states
from .clock import Clock
from .definitions import Definition
from .errors import JobsError, RecordError, RefusedError
from .failure import decisive, explained
from .record import STEPS, Entry, Records, Run
from .run_log import Reader, tail
from .steps import deployment, job, model
from .watch import TAIL, Follower, View, require_success

# Which definition a step submits.
DEFINITION_OF = {
    "stage": "stage",
    "finetune": "finetune",
    "merge": "merge",
    "register": "model",
    "deploy": "deployment",
}
NEEDS = {
    "finetune": ("stage",),
    "merge": ("stage", "finetune"),
    "register": ("stage", "finetune", "merge"),
    "deploy": ("register",),
}
# Lines of a run's log take up to so many seconds to reach OCI Logging.
LOG_DELAY = 90.0


@dataclass(frozen=True)
class Decision:
    """What to do about a step: submit it, follow the one that runs, or leave it; and why."""

    action: str
    reason: str
    entry: Entry | None = None


@dataclass(frozen=True)
class Runner:
    """Takes the steps of one tenancy. *interval* is in seconds between two looks."""

    definitions: Mapping[str, Definition]
    records: Records
    view: View
    clock: Clock
    interval: float = 10.0

    def run(self, *, fresh: bool = False) -> Run:
        """Every step in order, going on from the record; all of them anew when *fresh*.

        Raises:
            StepFailedError: a step ended badly; the record says how far it came.
        """
        anew = fresh
        for step in STEPS:
            decision = self._decide(step, anew=anew)
            self.view.say(f"{step}: {decision.reason}")
            anew = anew or decision.action == "submit"
            if decision.action == "leave" and decision.entry is not None:
                self.view.show(decision.entry)
                continue
            entry = self.submit(step) if decision.action == "submit" else decision.entry
            self.finish(entry or self.records.read().need(step))
        return self.records.read()

    def submit(self, step: str) -> Entry:
        """Submit one step and write it down; returns without waiting.

        Raises:
            RecordError: a step that it builds on has not ended well, or the last submission of
                the step itself is still under way: two would write to the same place.
        """
        run = self.records.read()
        for needed in NEEDS.get(step, ()):
            if not run.need(needed).done:
                raise RecordError(
                    f"'{step}' needs '{needed}', which is {run.need(needed).shown_state}.",
                    f"Submit it again: 'python -m jobs submit {needed}'."
                    if run.need(needed).failed
                    else f"Wait for it with 'python -m jobs watch {needed}'.",
                )
        before = run.get(step)
        if before is not None and (now := states.under_way(before)):
            raise RecordError(f"'{step}' is {now.shown_state} already.", _how_to_end(now))
        entry = self._submitted(step, run)
        if before is not None:
            entry = entry.changed(replaced=before.made)
        self.records.put(entry)
        return entry

    def follow(self, entry: Entry) -> Entry:
        """Follow a submitted step to its end, however that is."""
        follower = Follower(self.view, self.clock, self.interval, keep=self.records.put)
        if "job_run" not in entry.ids:
            return follower.follow(entry, states.observe)
        return follower.follow(entry, states.observe, Reader().new, machines.look)

    def finish(self, entry: Entry) -> Entry:
        """Follow a submitted step to a good end.

        Raises:
            StepFailedError: it ended otherwise; with the reason and the decisive lines of its log.
        """
        ended = self.follow(entry)
        failed = ended.state == "FAILED" and "job_run" in ended.ids
        return require_success(ended, self._last_words(ended) if failed else ())

    def _last_words(self, entry: Entry) -> list[str]:
        """Why a run failed, by its log. In OCI the last lines may be on their way still."""
        waited, arrives = 0.0, not (entry.simulated or entry.local)
        while True:
            try:
                lines = [line.text for line in tail(entry, TAIL)]
            except JobsError:  # it was said while the run was followed
                return []
            if not arrives or explained(lines) or waited >= LOG_DELAY:
                return decisive(lines)
            self.clock.sleep(self.interval)
            waited += self.interval

    def _submitted(self, step: str, run: Run) -> Entry:
        definition = self.definitions[DEFINITION_OF[step]]
        if step == "register":
            return model.register(self.definitions, run)
        if step == "deploy":
            registered = run.need("register")
            entry = deployment.deploy(definition, registered.ids["model"])
            played = not entry.local and (entry.simulated or registered.simulated)
            return entry.changed(simulated=played)
        return job.submit(step, definition)

    def _decide(self, step: str, *, anew: bool) -> Decision:
        entry = self.records.read().get(step)
        if entry is None:
            return Decision("submit", "submitting")
        if anew:
            return Decision("submit", "submitting anew")
        if entry.digest != self.definitions[DEFINITION_OF[step]].digest:
            return Decision("submit", "its definition has changed since: submitting anew")
        try:
            now = states.observe(entry)
        except RefusedError as error:
            if error.status != 404:
                raise
            return Decision("submit", "OCI has the recorded one no more: submitting anew")
        self.records.put(now)
        if now.done:
            return Decision("leave", f"done before, {now.shown_state}; left as it is", now)
        if now.failed:
            return Decision("submit", f"the last one is {now.shown_state}: submitting anew")
        return Decision("follow", f"{now.shown_state} already: following it", now)


def _how_to_end(entry: Entry) -> str:
    follow = f"Follow it with 'python -m jobs watch {entry.step}'"
    if entry.kind == "job":
        return f"{follow}, or end it with 'python -m jobs cancel {entry.step}'."
    return f"{follow}."
