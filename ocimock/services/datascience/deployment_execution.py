"""A deployment that really runs: one thread sees its server through, from its start to its end.

What takes time happens outside of the cloud's lock; each change of the record, and each batch of
log lines, is a transaction of its own.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from ...cloud import Cloud
from ...execute.executor import Execution
from ...execute.nodes import Node
from ...execute.specs import End
from ...store import Record
from ..logging.records import append
from . import run_files, run_words, served_models, work_requests
from .acting import deployment_may_log
from .base import DEPLOYMENT
from .deployment_ends import obstacle, reach, say
from .deployment_health import is_healthy
from .deployment_plan import DeploymentPlan, Place, plan, spec
from .node_access import Access
from .run_inbox import Ended, Inbox
from .run_plan import CannotRun

_log = logging.getLogger(__name__)

# Seconds. How often the thread looks up when nothing happens, and how long it lets lines gather.
_LOOK, _GATHER = 0.1, 0.05
# Seconds of the mock's clock in which a server must be healthy. OCI documents no number; a model of
# many gigabytes takes minutes.
HEALTHY_WITHIN = 1800.0
# Seconds that a server has to end in when the mock does.
_SOON = 2.0
# Lines of the server's output that an error shows.
_SHOWN_LINES = 12


class _Forgotten(Exception):  # noqa: N818 - never leaves this module
    """The deployment is none of the cloud's any more: deleted, or the mock was reset."""


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
    worker = DeploymentWorker(cloud, execution, record.id, work_id, before)
    execution.add(record.id, worker)
    worker.start()


class DeploymentWorker:
    """The thread of one server, see :class:`ocimock.execute.executor.Worker`."""

    def __init__(
        self,
        cloud: Cloud,
        execution: Execution,
        deployment_id: str,
        work_id: str | None,
        before: DeploymentWorker | None,
    ) -> None:
        self._cloud = cloud
        self._execution = execution
        self._id = deployment_id
        self._work_id = work_id
        self._before = before
        # Not that of one that goes on beside it.
        self._folder = execution.folder_of(deployment_id) / secrets.token_hex(4)
        self._inbox = Inbox()
        self._tail: deque[str] = deque(maxlen=_SHOWN_LINES)
        self._nodes: list[Node] = []
        self._plan: DeploymentPlan | None = None
        self._is_ready = False
        self._is_stopping = False
        self._is_abandoned = False
        self.is_over = False
        """Its end is written down, under the cloud's lock."""
        self._access: Access | None = None
        self._renew_at = 0.0
        name = f"deployment {deployment_id[-6:]}"
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

    def stop(self, work_id: str | None = None) -> None:
        """End the server, and then the work request *work_id*. To be called under the lock."""
        self._work_id = work_id
        self._stop(self._execution.settings.stop_seconds)

    def end(self) -> None:
        """The record stays as it is: with its state file the deployment goes on."""
        self._work_id = None
        self._stop(min(self._execution.settings.stop_seconds, _SOON))
        if self._before is not None:
            self._before.end()

    def abandon(self) -> None:
        self._is_abandoned = self._is_stopping = True
        self._inbox.close()
        for node in self.nodes():
            node.kill()
        self._inbox.wake()
        if self._before is not None:
            self._before.abandon()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def note(self, line: str) -> None:
        """A line in the access log and one in the predict log."""
        with contextlib.suppress(_Forgotten), self._changing() as cloud:
            record = self._record(cloud)
            for category in ("access", "predict"):
                self._write(cloud, record, category, [line])

    def _stop(self, grace: float) -> None:
        self._is_stopping = True
        self._is_ready = False
        for node in self.nodes():
            node.stop(grace)
        self._inbox.wake()

    def _work(self) -> None:
        failure: str | None = "a fault of ocimock itself; its output says more"
        try:
            self._see_through()
            failure = None
        except CannotRun as fault:
            failure = str(fault)
        except (_Stopping, _Forgotten):
            failure = None
        except Exception:  # noqa: BLE001 - the mock goes on, whatever it was
            _log.exception("ocimock failed to serve %s", self._id)
        finally:
            self._is_ready = False
            self._end_nodes()
            self._finish(failure)
            self._inbox.close()
            run_files.remove(self._folder)
            self._execution.remove(self._id, self)

    def _see_through(self) -> None:
        found = self._begin()
        place = Place.take(self._execution, found)
        try:
            access = self._make_ready(found)
            self._serve(found, place, access)
            # Whatever ended it once may have been an accident. The service starts a container again
            # that ends; so does this, once.
            with self._changing() as cloud:
                say(self._record(cloud), f"Its server ended, and is started again: {self._last()}")
            self._serve(found, place, access)
            raise CannotRun(f"Its server ended again: {self._last()}")
        finally:
            self._end_nodes()
            place.give_back(self._execution)

    def _begin(self) -> DeploymentPlan:
        with self._changing() as cloud:
            record = self._record(cloud)
            if reason := obstacle(cloud, record):
                raise CannotRun(reason)
            self._plan = plan(cloud, record, self._execution.settings.limits)
            instances = self._plan.instances
            if instances > 1:
                self._progress(cloud, 20.0, f"One process stands for {instances} instances.")
            return self._plan

    def _make_ready(self, found: DeploymentPlan) -> Access:
        """The model lies there, and the server's principal has its files."""
        # Where nothing can be bound read-only a server could write into the model of the bucket.
        may_link = not self._execution.is_plain
        self._folder.mkdir(parents=True)
        served_models.lay_out(found.files, self._folder / "model", may_link=may_link)
        access = Access.make(self._folder / "access", self._execution, found.region)
        with self._changing() as cloud:
            self._renew_at = access.renew(cloud, self._record(cloud))
            self._progress(cloud, 40.0, f"The model's files are there; starting {found.image}.")
        self._access = access
        return access

    def _serve(self, found: DeploymentPlan, place: Place, access: Access) -> None:
        """Start the server, until it ends on its own; what ends before it is healthy fails."""
        run_files.remove(self._folder / "node")
        ready = spec(found, place, access, self._folder)
        self._tail.clear()
        try:
            node = self._execution.start(ready, lambda text: self._inbox.line(0, text))
        except OSError as fault:
            raise CannotRun(f"The server could not be started: {fault}") from None
        self._nodes.append(node)
        threading.Thread(target=self._await, args=(node,), daemon=True).start()
        if self._is_stopping:
            raise _Stopping
        end = self._until_healthy(node, found)
        if end is not None:
            self._ended = end
            raise CannotRun(f"Its server ended before it was healthy: {self._last()}")
        self._is_ready = True
        self._succeed(found)
        while end is None:
            end = self._hear()
        self._is_ready = False
        self._ended = end
        if self._is_stopping:
            raise _Stopping

    def _await(self, node: Node) -> None:
        end = node.wait()
        if end is not None:
            self._inbox.ended(0, end)

    def _until_healthy(self, node: Node, found: DeploymentPlan) -> End | None:
        """None when it is healthy; else how it ended. :raises CannotRun: it takes too long."""
        deadline = self._cloud.clock.now() + HEALTHY_WITHIN
        while True:
            end = self._hear()
            if self._is_stopping:
                raise _Stopping
            if end is not None or is_healthy(node.connect, found.health_port):
                return end
            if self._cloud.clock.now() > deadline:
                raise CannotRun(
                    f"GET /health on port {found.health_port} was not answered with 200 within "
                    f"{HEALTHY_WITHIN / 60:g} minutes{self._shown()}"
                )

    def _succeed(self, found: DeploymentPlan) -> None:
        """Ready: the work request is over, and the server before this one."""
        words = f"Ready to answer; its server is process {self._nodes[-1].pid}"
        if found.instances > 1:
            words += f", one for {found.instances} instances"
        with self._changing() as cloud:
            record = self._record(cloud)
            self._close_work(cloud, success=words)
            if record.data["lifecycleState"] == "ACTIVE":
                say(record, words)
            if self._before is not None:
                self._before.stop()
                self._before = None

    def _hear(self) -> End | None:
        """Write down what the server said; how it ended, if it did."""
        heard = self._inbox.take(_LOOK)
        if heard:
            # Lines come in bursts: one transaction for as many as may be.
            time.sleep(_GATHER)
            heard += self._inbox.take(0)
        lines = [item.text for item in heard if not isinstance(item, Ended)]
        ends = [item.end for item in heard if isinstance(item, Ended)]
        self._tail.extend(lines)
        if lines:
            with self._changing() as cloud:
                self._write(cloud, self._record(cloud), "predict", lines)
        self._keep_up()
        return ends[0] if ends else None

    def _keep_up(self) -> None:
        """Let due events happen, and keep the principal of the server good."""
        if self._is_abandoned:
            raise _Forgotten
        if self._cloud.clock.is_due():
            with self._changing():
                pass
        if self._access is not None and time.monotonic() > self._renew_at:
            with self._changing() as cloud:
                self._renew_at = self._access.renew(cloud, self._record(cloud))

    def _finish(self, failure: str | None) -> None:
        """The server has ended; record and work request say what that means."""
        try:
            with self._changing() as cloud:
                self.is_over = True
                record = self._record(cloud)
                if failure is not None:
                    self._fail(cloud, record, failure)
                else:
                    self._close_work(cloud)
                self._execution.remove(self._id, self)
        except _Forgotten:
            return
        except Exception:  # noqa: BLE001 - the state file's disk is full, say
            _log.exception("ocimock can't write down the end of %s", self._id)

    def _fail(self, cloud: Cloud, record: Record, failure: str) -> None:
        if self._before is not None:
            self._before.stop()
        if self._is_open(cloud):
            self._close_work(cloud, failure=failure)
        elif self._execution.worker(self._id) is self:
            reach(record, "FAILED", failure)

    def _is_open(self, cloud: Cloud) -> bool:
        work = work_requests.find(cloud, self._work_id) if self._work_id else None
        return work is not None and work_requests.is_open(work)

    def _close_work(self, cloud: Cloud, **said: str) -> None:
        """End the work request that waits for this, if one does."""
        if self._work_id is None or self._execution.is_ending:
            return
        work = work_requests.find(cloud, self._work_id)
        self._work_id = None
        if work is not None and work_requests.is_open(work):
            work.private.update(said)
            work_requests.finish(cloud, work)

    def _progress(self, cloud: Cloud, percent: float, message: str) -> None:
        work = work_requests.find(cloud, self._work_id) if self._work_id else None
        if work is not None and work_requests.is_open(work):
            work.data["percentComplete"] = percent
            work_requests.log(cloud, work, message)

    def _last(self) -> str:
        limits = self._plan.limits if self._plan else None
        if self._ended is None or limits is None:
            return "it is gone"
        return f"{run_words.node_ended(self._ended, limits)}{self._shown()}"

    _ended: End | None = None

    def _shown(self) -> str:
        """The last lines of the server's output."""
        lines = [line.strip() for line in self._tail if line.strip()]
        return f"; its last lines: {' | '.join(lines)}" if lines else "; it said nothing"

    def _write(self, cloud: Cloud, record: Record, category: str, lines: list[str]) -> None:
        log = (record.data.get("categoryLogDetails") or {}).get(category)
        if log and deployment_may_log(cloud, record, log["logId"]):
            for line in lines:
                append(cloud, log["logId"], record.id, line, subject=category)

    def _end_nodes(self) -> None:
        for node in self._nodes:
            node.kill()
        for node in self._nodes:
            node.wait()

    @contextmanager
    def _changing(self) -> Iterator[Cloud]:
        """A transaction. :raises _Forgotten: the mock was reset."""
        with self._cloud.lock:
            if self._is_abandoned:
                raise _Forgotten
            with self._cloud.transaction():
                yield self._cloud

    def _record(self, cloud: Cloud) -> Record:
        """:raises _Forgotten: it is deleted."""
        found = cloud.store.find(DEPLOYMENT, self._id)
        if found is None or found.deleted:
            raise _Forgotten
        return found
