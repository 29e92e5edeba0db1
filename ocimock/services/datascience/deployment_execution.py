"""A deployment that really runs: one thread sees its server through, from its start to its end.

What takes time happens outside of the cloud's lock; each change of the record, and each batch of
log lines, is a transaction of its own (:mod:`.deployment_record`).
"""

from __future__ import annotations

import logging
import socket
import threading
import time

from ...cloud import Cloud
from ...execute import folders
from ...execute.executor import Execution
from ...execute.nodes import Node
from ...execute.specs import End
from ...store import Record
from . import run_words, served_models
from .deployment_health import is_healthy
from .deployment_output import Output
from .deployment_plan import DeploymentPlan, Place, spec
from .deployment_record import DeploymentRecord
from .executed_record import Forgotten
from .node_access import Access
from .run_plan import CannotRun

_log = logging.getLogger(__name__)

# Seconds of the mock's clock in which a server must be healthy. OCI documents no number; a model of
# many gigabytes takes minutes.
HEALTHY_WITHIN = 1800.0
# Seconds that a server has to end in when the mock does.
_SOON = 2.0


class _Stopping(Exception):  # noqa: N818 - never leaves this module
    """The server is to end, and nothing is wrong with that."""


def worker_of(cloud: Cloud, record: Record) -> DeploymentWorker | None:
    """Who works on the server of a deployment, if it has one."""
    found = cloud.execution.worker(record.id) if cloud.execution else None
    return found if isinstance(found, DeploymentWorker) and not found.is_over else None


def execute(cloud: Cloud, execution: Execution, record: Record, work_id: str | None) -> None:
    """Have a server come up for *record*, which ends the work request *work_id*.

    One that serves already goes on until the new one does.
    """
    record.private["executed"] = True
    before = worker_of(cloud, record)
    told = DeploymentRecord(cloud, execution, record.id, work_id)
    worker = DeploymentWorker(told, execution, before)
    execution.add(record.id, worker)
    worker.start()


class DeploymentWorker:
    """The thread of one server, see :class:`ocimock.execute.executor.Worker`.

    :param before: whose server answers until this one does.
    """

    def __init__(
        self, record: DeploymentRecord, execution: Execution, before: DeploymentWorker | None
    ) -> None:
        self._record = record
        self._execution = execution
        self._before = before
        self._id = record.deployment_id
        self._folder = execution.folder_of(self._id)
        self._output = Output(record)
        self._nodes: list[Node] = []
        self._plan: DeploymentPlan | None = None
        self._is_ready = False
        self._is_stopping = False
        self.is_over = False
        """Its end is written down, under the cloud's lock."""
        self._access: Access | None = None
        self._renew_at = 0.0
        name = f"deployment {self._id[-6:]}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nodes(self) -> list[Node]:
        return list(self._nodes)

    @property
    def serving(self) -> DeploymentWorker | None:
        """Whose server answers now: this one, or the one that it is to replace."""
        if self._is_ready:
            return self
        return self._before.serving if self._before else None

    def connect(self, timeout: float) -> socket.socket:
        """A connection to the server. :raises OSError: it does not listen."""
        if self._plan is None or not self._nodes:
            raise OSError("the server is not there yet")
        return self._nodes[-1].connect(self._plan.port, timeout)

    def note(self, line: str) -> None:
        """A line of a request in the deployment's logs."""
        self._record.note(line)

    def stop(self, work_id: str | None = None) -> None:
        """End the server, and then the work request *work_id*. To be called under the lock."""
        self._record.work_id = work_id
        self._stop(self._execution.settings.stop_seconds)

    def end(self) -> None:
        """The record stays as it is: with its state file the deployment goes on."""
        self._stop(min(self._execution.settings.stop_seconds, _SOON))
        if self._before is not None:
            self._before.end()

    def abandon(self) -> None:
        self._record.is_abandoned = self._is_stopping = True
        self._output.close()
        for node in self.nodes():
            node.kill()
        self._output.wake()
        if self._before is not None:
            self._before.abandon()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _stop(self, grace: float) -> None:
        self._is_stopping = True
        self._is_ready = False
        for node in self.nodes():
            node.stop(grace)
        self._output.wake()

    def _work(self) -> None:
        failure: str | None = "a fault of ocimock itself; its output says more"
        try:
            self._see_through()
        except CannotRun as fault:
            failure = str(fault)
        except (_Stopping, Forgotten):
            failure = None
        except Exception:  # noqa: BLE001 - the mock goes on, whatever it was
            _log.exception("ocimock failed to serve %s", self._id)
        finally:
            self._is_ready = False
            self._end_nodes()
            self._finish(failure)
            self._output.close()
            folders.remove(self._folder)
            self._execution.remove(self._id, self)

    def _see_through(self) -> None:
        """:raises CannotRun: the server did not come up, or ended twice."""
        found = self._plan = self._record.begin()
        place = Place.take(self._execution, found)
        try:
            access = self._make_ready(found)
            end = self._serve(found, place, access)
            # Whatever ended it may have been an accident. A service starts a container again that
            # ends; this does so once.
            self._record.tell(f"Its server ended, and is started again: {self._last(end)}")
            end = self._serve(found, place, access)
            raise CannotRun(f"Its server ended again: {self._last(end)}")
        finally:
            self._end_nodes()
            place.give_back(self._execution)

    def _make_ready(self, found: DeploymentPlan) -> Access:
        """The model lies there, and the server's principal has its files."""
        # Where nothing can be bound read-only a server could write into the model of the bucket.
        may_link = not self._execution.is_plain
        self._folder.mkdir(parents=True)
        served_models.lay_out(found.files, self._folder / "model", may_link=may_link)
        access = Access.make(self._folder / "access", self._execution, found.region)
        self._renew_at = self._record.made_ready(access, found.image)
        self._access = access
        return access

    def _serve(self, found: DeploymentPlan, place: Place, access: Access) -> End:
        """Start the server; how it ended on its own, after it was healthy.

        :raises CannotRun: it never was.
        """
        folders.remove(self._folder / "node")
        ready = spec(found, place, access, self._folder)
        try:
            node = self._execution.start(ready, self._output.line)
        except OSError as fault:
            raise CannotRun(f"The server could not be started: {fault}") from None
        self._nodes.append(node)
        self._output.follow(node)
        self._until_healthy(node, found)
        self._is_ready = True
        self._succeed(found)
        while (end := self._hear()) is None:
            continue
        self._is_ready = False
        if self._is_stopping:
            raise _Stopping
        return end

    def _until_healthy(self, node: Node, found: DeploymentPlan) -> None:
        """:raises CannotRun: it ends before, or takes too long."""
        clock = self._record.cloud.clock
        deadline = clock.now() + HEALTHY_WITHIN
        while True:
            end = self._hear()
            if self._is_stopping:
                raise _Stopping
            if end is not None:
                raise CannotRun(f"Its server ended before it was healthy: {self._last(end)}")
            if is_healthy(node.connect, found.health_port):
                return
            if clock.now() > deadline:
                raise CannotRun(
                    f"GET /health on port {found.health_port} was not answered with 200 within "
                    f"{HEALTHY_WITHIN / 60:g} minutes{self._output.shown()}"
                )

    def _succeed(self, found: DeploymentPlan) -> None:
        """The work request is over, and the server before this one."""
        words = f"Ready to answer; its server is process {self._nodes[-1].pid}"
        if found.instances > 1:
            words += f", one for {found.instances} instances"
        self._record.succeed(words)
        self._stop_before()

    def _stop_before(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            with self._record.cloud.lock:
                before.stop()

    def _hear(self) -> End | None:
        end = self._output.hear()
        self._keep_up()
        return end

    def _keep_up(self) -> None:
        """Let due events happen, and keep the principal of the server good."""
        if self._record.is_abandoned:
            raise Forgotten
        if self._record.cloud.clock.is_due():
            with self._record.changing():
                pass
        if self._access is not None and time.monotonic() > self._renew_at:
            self._renew_at = self._record.renew(self._access)

    def _finish(self, failure: str | None) -> None:
        """The server has ended; record and work request say what that means."""
        try:
            with self._record.changing():
                self.is_over = True
                is_current = self._execution.worker(self._id) is self
                self._execution.remove(self._id, self)
                if failure is None or self._is_stopping:
                    self._record.end()
                else:
                    self._record.fail(failure, is_current=is_current)
        except Forgotten:
            return
        except Exception:  # noqa: BLE001 - the state file's disk is full, say
            _log.exception("ocimock can't write down the end of %s", self._id)
        finally:
            if failure is not None:
                self._stop_before()

    def _last(self, end: End) -> str:
        """How the server ended, for people."""
        assert self._plan is not None
        return f"{run_words.node_ended(end, self._plan.limits)}{self._output.shown()}"

    def _end_nodes(self) -> None:
        for node in self._nodes:
            node.kill()
        for node in self._nodes:
            node.wait()
