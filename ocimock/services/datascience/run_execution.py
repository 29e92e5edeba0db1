"""A job run that really runs: one thread sees it through, from ACCEPTED to its end.

What takes time happens outside of the cloud's lock; each change of the record, and each batch of
log lines, is a transaction of its own.
"""

from __future__ import annotations

import functools
import logging
import threading
import time

from ...cloud import Cloud, event, resumed
from ...execute import folders
from ...execute.executor import Execution
from ...execute.nodes import Node
from ...store import Record
from . import run_words
from .base import JOB_RUN
from .executed_record import Forgotten
from .node_access import Access
from .run_inbox import Ended, Inbox, Line
from .run_mounts import RunMounts
from .run_nodes import Network, Site, specs
from .run_plan import CannotRun, NodePlan, RunPlan
from .run_record import RunRecord, set_ended
from .run_verdict import Verdict

_log = logging.getLogger(__name__)

# Seconds. How often the thread looks up when nothing happens.
_LOOK = 0.5
# Seconds that nodes have to end in when the mock does.
_SOON = 2.0
_RUNNING = ("ACCEPTED", "IN_PROGRESS", "CANCELING")
_FAULT = "Job run artifact execution failed: a fault of ocimock itself; its output says more"


def execute(cloud: Cloud, execution: Execution, run: Record) -> None:
    """Have *run*, which was just accepted, really run."""
    run.private["executed"] = True
    run.data["lifecycleDetails"] = run_words.PROVISIONING
    worker = RunWorker(RunRecord(cloud, run.id), execution)
    execution.add(run.id, worker)
    worker.start()


def cancel(cloud: Cloud, run: Record) -> None:
    """Have a run that was just asked to stop do so."""
    if worker := _worker(cloud, run.id):
        worker.cancel()


@event("datascience.run time is over")
def _time_out(cloud: Cloud, subject: str) -> None:
    if worker := _worker(cloud, subject):
        worker.time_out()


@resumed
def _fail_interrupted(cloud: Cloud) -> None:
    """Runs that an earlier mock left in the middle have ended with it."""
    for run in cloud.store.live_to_change(JOB_RUN):
        if run.private.get("executed") and run.data["lifecycleState"] in _RUNNING:
            reason = f"Job run artifact execution failed: {run_words.MOCK_ENDED}"
            set_ended(cloud, run, "FAILED", reason)


class RunWorker:
    """The thread of one run, see :class:`ocimock.execute.executor.Worker`."""

    def __init__(self, record: RunRecord, execution: Execution) -> None:
        self._record = record
        self._execution = execution
        self._folder = execution.folder_of(record.run_id)
        self._inbox = Inbox()
        self._verdict = Verdict()
        self._nodes: list[Node] = []
        self._access: Access | None = None
        self._renew_at = 0.0
        name = f"run {record.run_id[-6:]}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nodes(self) -> list[Node]:
        return list(self._nodes)

    def cancel(self) -> None:
        self._verdict.cancel()
        self._inbox.wake()

    def time_out(self) -> None:
        self._verdict.time_out()
        self._inbox.wake()

    def end(self) -> None:
        self._verdict.mock_ends()
        self._inbox.wake()

    def abandon(self) -> None:
        self._record.is_abandoned = True
        self._inbox.close()
        for node in self.nodes():
            node.kill()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _work(self) -> None:
        state, reason = "FAILED", _FAULT
        try:
            state, reason = self._see_through()
        except CannotRun as fault:
            reason = run_words.bootstrap_failure(str(fault))
        except Forgotten:
            pass
        except Exception:  # noqa: BLE001 - the mock goes on, whatever it was
            _log.exception("ocimock failed to run %s", self._record.run_id)
        finally:
            self._inbox.close()
            self._tidy(state)
            self._write_end(state, reason)
            self._execution.remove(self._record.run_id, self)

    def _see_through(self) -> tuple[str, str]:
        """From the first step to the last; state and reason of the end."""
        plan, minutes = self._record.begin()
        self._verdict.minutes = minutes or 0
        network = Network.take(self._execution, plan)
        try:
            changing, warn = self._record.changing, self._record.warn
            with RunMounts(plan, self._folder, changing, warn) as mounts:
                self._come_up(plan, network, mounts)
                self._supervise(plan)
            return self._verdict.conclusion(plan)
        finally:
            self._kill_all()
            network.give_back(self._execution)

    def _come_up(self, plan: RunPlan, network: Network, mounts: RunMounts) -> None:
        """Everything is laid out, and the nodes are started."""
        access = Access.make(self._folder / "access", self._execution, plan.region)
        self._renew(access)
        with self._record.changing() as cloud:
            artifact = cloud.blobs.get(plan.artifact[1]) if plan.artifact else None
        site = Site(self._folder, access, network, mounts.folders())
        ready = list(specs(plan, site, artifact))
        self._record.tell("Job run artifact execution in progress")
        for rank, spec in enumerate(ready):
            if self._verdict.is_stopping:
                break
            try:
                node = self._execution.start(spec, functools.partial(self._inbox.line, rank))
            except OSError as fault:
                raise CannotRun(f"{plan.nodes[rank].name} could not be had: {fault}") from None
            self._nodes.append(node)
            threading.Thread(target=self._await, args=(rank, node), daemon=True).start()

    def _await(self, rank: int, node: Node) -> None:
        end = node.wait()
        if end is not None:
            self._inbox.ended(rank, end)

    def _supervise(self, plan: RunPlan) -> None:
        """Until the last node has ended."""
        stopped: set[int] = set()
        while len(self._verdict.ends) < len(self._nodes):
            heard = self._inbox.take(_LOOK)
            if heard:
                self._hear(plan, self._inbox.gather(heard))
            if self._record.is_abandoned:
                raise Forgotten
            self._verdict.judge(plan)
            if self._verdict.is_stopping:
                self._stop_rest(stopped)
            self._keep_up()

    def _hear(self, plan: RunPlan, heard: list[Line | Ended]) -> None:
        lines: list[tuple[NodePlan, str, bool]] = []
        for item in heard:
            node = plan.nodes[item.rank]
            if isinstance(item, Line):
                self._verdict.heard(item.rank, item.text)
                lines.append((node, item.text, False))
            else:
                self._verdict.ends[item.rank] = item.end
                lines.append((node, run_words.node_ended(item.end, node.limits), True))
        with self._inbox.writing():
            self._record.write(lines)

    def _stop_rest(self, stopped: set[int]) -> None:
        grace = self._execution.settings.stop_seconds
        for rank, node in enumerate(self._nodes):
            if rank not in stopped and rank not in self._verdict.ends:
                stopped.add(rank)
                node.stop(min(grace, _SOON) if self._verdict.is_mock_ending else grace)

    def _keep_up(self) -> None:
        """Let due events happen, and keep the run's principal good."""
        if self._record.cloud.clock.is_due():
            with self._record.changing():
                pass
        if self._access is not None and time.monotonic() > self._renew_at:
            self._renew(self._access)

    def _renew(self, access: Access) -> None:
        with self._record.changing() as cloud:
            self._renew_at = access.renew(cloud, self._record.found())
        self._access = access

    def _kill_all(self) -> None:
        for node in self._nodes:
            node.kill()
        for node in self._nodes:
            node.wait()

    def _tidy(self, state: str) -> None:
        keep = self._execution.settings.keep
        if keep == "never" or (keep == "failed" and state != "FAILED"):
            folders.remove(self._folder)

    def _write_end(self, state: str, reason: str) -> None:
        """Nothing of the run is left; its record says how it ended."""
        if self._verdict.is_canceled and state == "FAILED" and not self._nodes:
            state, reason = "CANCELED", "Job run canceled"
        try:
            self._record.end(state, reason)
        except Forgotten:
            return
        except Exception:  # noqa: BLE001 - the state file's disk is full, say
            _log.exception("ocimock can't write down the end of %s", self._record.run_id)


def _worker(cloud: Cloud, run_id: str) -> RunWorker | None:
    found = cloud.execution.worker(run_id) if cloud.execution else None
    return found if isinstance(found, RunWorker) else None
