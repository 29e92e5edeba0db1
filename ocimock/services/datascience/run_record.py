"""The record of a run that really runs, and its log, as the run's thread changes them."""

from __future__ import annotations

from ...cloud import Cloud
from ...store import Record
from ..logging.records import append
from . import run_acts, run_ends, run_words
from .base import JOB, JOB_RUN
from .executed_record import ExecutedRecord, Forgotten
from .run_plan import CannotRun, NodePlan, RunPlan, plan
from .simulation import is_to_fail, obstacles


class RunRecord(ExecutedRecord):
    """What may be done to the record of one run; each is a transaction on the cloud."""

    def __init__(self, cloud: Cloud, run_id: str) -> None:
        super().__init__(cloud, JOB_RUN, run_id)
        self.run_id = run_id
        self.plan: RunPlan | None = None
        self._is_silent = False

    def begin(self) -> tuple[RunPlan, int | None]:
        """Make the run IN_PROGRESS; its plan, and how many minutes it may take.

        :raises CannotRun: something stands in its way.
        """
        with self.changing() as cloud:
            run, job = self.found(), self._job()
            assert cloud.execution is not None
            found = self.plan = plan(cloud, run, job, cloud.execution.settings.limits)
            # It may have been canceled by now.
            if run.data["lifecycleState"] == "ACCEPTED":
                run.data["lifecycleState"] = "IN_PROGRESS"
            run.data["timeStarted"] = cloud.clock.timestamp()
            run.data["lifecycleDetails"] = run_words.details("Job run bootstrap starting")
            for group in run.data.get("nodeGroupDetailsList") or ():
                group["lifecycleState"] = "ACTIVE"
            self._is_silent = not run_acts.may_log(cloud, run)
            for node in found.nodes:
                self._write(run, node, f"infrastructure provisioned: {node.shape}", marked=True)
            for reason in obstacles(cloud, run, job):
                raise CannotRun(reason)
            if is_to_fail(cloud, job):
                raise CannotRun("the mock's settings ask for it (fail_runs)")
            minutes = run_ends.longest(run, job)
            if minutes is not None:
                over = cloud.clock.now() + minutes * 60.0
                cloud.clock.schedule_at(over, "datascience.run time is over", run.id)
        return found, minutes

    def tell(self, text: str) -> None:
        """Say in lifecycleDetails how far it is."""
        with self.changing():
            self.found().data["lifecycleDetails"] = run_words.details(text)

    def write(self, lines: list[tuple[NodePlan, str, bool]]) -> None:
        """Lines for the log: whose, what, and whether the mock says it itself."""
        with self.changing():
            run = self.found()
            for node, text, marked in lines:
                self._write(run, node, text, marked=marked)

    def warn(self, text: str) -> None:
        """A line of the mock's own that is no single node's."""
        if self.plan is not None:
            self.write([(self.plan.nodes[0], text, True)])

    def end(self, state: str, reason: str) -> None:
        """The run has ended."""
        with self.changing() as cloud:
            run = self.found()
            if self.plan is not None and state == "FAILED":
                self._write(run, self.plan.nodes[0], reason, marked=True)
            set_ended(cloud, run, state, reason)

    def _write(self, run: Record, node: NodePlan, text: str, *, marked: bool) -> None:
        log = (run.data.get("logDetails") or {}).get("logId")
        if log and not self._is_silent:
            message = run_words.line(node.name, text) if marked else text
            append(self.cloud, log, run.id, message, subject=node.name)

    def _job(self) -> Record:
        job = self.cloud.store.find(JOB, self.found().data["jobId"])
        if job is None:
            raise Forgotten
        return job


def set_ended(cloud: Cloud, run: Record, state: str, reason: str) -> None:
    """Have a run, and its node groups, show that it has ended, and why."""
    run.data["lifecycleState"] = state
    run.data["timeFinished"] = cloud.clock.timestamp()
    run.data["lifecycleDetails"] = run_words.details(reason)
    for group in run.data.get("nodeGroupDetailsList") or ():
        group["lifecycleState"] = "FAILED" if state == "FAILED" else "DELETED"
