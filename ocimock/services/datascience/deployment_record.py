"""The record of a deployment that really runs, its work request and its logs, for its thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ...cloud import Cloud
from ...execute.executor import Execution
from ...store import Record
from ..logging.records import append
from . import work_requests
from .acting import deployment_may_log
from .base import DEPLOYMENT
from .deployment_ends import obstacle, reach, say
from .deployment_plan import DeploymentPlan, plan
from .executed_record import ExecutedRecord, Forgotten
from .node_access import Access
from .run_plan import CannotRun


class DeploymentRecord(ExecutedRecord):
    """What may be done to the record of one deployment; each is a transaction on the cloud.

    :param work_id: the work request that waits for the server to come up, or to end.
    """

    def __init__(
        self, cloud: Cloud, execution: Execution, deployment_id: str, work_id: str | None
    ) -> None:
        super().__init__(cloud, DEPLOYMENT, deployment_id)
        self.deployment_id = deployment_id
        self.work_id = work_id
        self._execution = execution

    def begin(self) -> DeploymentPlan:
        """What is to run. :raises CannotRun: something stands in its way."""
        with self.changing() as cloud:
            record = self.found()
            if reason := obstacle(cloud, record):
                raise CannotRun(reason)
            made = plan(cloud, record, self._execution.settings.limits)
            if made.instances > 1:
                self._progress(20.0, f"One process stands for {made.instances} instances.")
            return made

    def made_ready(self, access: Access, image: str) -> float:
        """Give its principal a token; when it is time for the next."""
        with self.changing():
            self._progress(40.0, f"The model's files are there; starting {image}.")
            return access.renew(self.cloud, self.found())

    def renew(self, access: Access) -> float:
        """Another token, before the last is good no more; when it is time for the next."""
        with self.changing() as cloud:
            return access.renew(cloud, self.found())

    def succeed(self, words: str) -> None:
        """The server answers."""
        with self.changing():
            record = self.found()
            self._close_work(success=words)
            if record.data["lifecycleState"] == "ACTIVE":
                say(record, words)

    def tell(self, words: str) -> None:
        """Let the deployment say *words* of itself."""
        with self.changing():
            say(self.found(), words)

    def fail(self, failure: str, *, is_current: bool) -> None:
        """There is no server. With no work request to fail it is the deployment that does.

        :param is_current: no other server has taken the place of this one.
        """
        work = self._work()
        if work is not None:
            self._close_work(failure=failure)
        elif is_current:
            reach(self.found(), "FAILED", failure)

    def end(self) -> None:
        """The server has ended, as it was told to."""
        self._close_work()

    def write(self, category: str, lines: Sequence[str]) -> None:
        """Lines into the log of that category, if there is one and the deployment may."""
        with self.changing():
            self._write(category, lines)

    def note(self, line: str) -> None:
        """A line of a request, where it is still wanted: in the access log and the predict log."""
        with contextlib.suppress(Forgotten), self.changing():
            for category in ("access", "predict"):
                self._write(category, [line])

    def _write(self, category: str, lines: Sequence[str]) -> None:
        record = self.found()
        log = (record.data.get("categoryLogDetails") or {}).get(category)
        if log and deployment_may_log(self.cloud, record, log["logId"]):
            for line in lines:
                append(self.cloud, log["logId"], record.id, line, subject=category)

    def _work(self) -> Record | None:
        """The work request, where it is still open."""
        work = work_requests.find(self.cloud, self.work_id) if self.work_id else None
        return work if work is not None and work_requests.is_open(work) else None

    def _close_work(self, **said: str) -> None:
        """End the work request that waits, if one does, but not because the mock ends."""
        work = self._work()
        if work is None or self._execution.is_ending:
            return
        self.work_id = None
        work.private.update(said)
        work_requests.finish(self.cloud, work)

    def _progress(self, percent: float, message: str) -> None:
        if work := self._work():
            work.data["percentComplete"] = percent
            work_requests.log(self.cloud, work, message)
