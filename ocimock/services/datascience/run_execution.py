"""A job run that really runs: one thread sees it through, from ACCEPTED to its end.

What takes time happens outside of the cloud's lock; each change of the record, and each batch of
log lines, is a transaction of its own.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...cloud import Cloud, event, resumed
from ...execute.executor import Execution
from ...execute.nodes import Node
from ...store import Record
from ..logging.records import append
from . import run_acts, run_ends, run_files, run_words
from .base import JOB, JOB_RUN
from .node_access import Access
from .run_inbox import Ended, Inbox, Line
from .run_mounts import RunMounts
from .run_nodes import Network, Site, specs
from .run_plan import CannotRun, NodePlan, RunPlan, plan
from .run_verdict import Verdict
from .simulation import is_to_fail, obstacles

_log = logging.getLogger(__name__)

# Seconds. How often the thread looks up when nothing happens, and how long it lets lines gather.
_LOOK, _GATHER = 0.5, 0.05
# Seconds that nodes have to end in when the mock does.
_SOON = 2.0
_RUNNING = ("ACCEPTED", "IN_PROGRESS", "CANCELING")


class _Forgotten(Exception):  # noqa: N818 - never leaves this module
    """The run is none of the cloud's any more: the mock was reset."""


def execute(cloud: Cloud, execution: Execution, run: Record) -> None:
    """Have *run*, which was just accepted, really run."""
    run.private["executed"] = True
    run.data["lifecycleDetails"] = run_words.PROVISIONING
    worker = RunWorker(cloud, execution, run.id)
    execution.add(run.id, worker)
    worker.start()


def cancel(cloud: Cloud, run: Record) -> None:
    """Have a run that was just asked to stop do so."""
    worker = cloud.execution.worker(run.id) if cloud.execution else None
    if isinstance(worker, RunWorker):
        worker.cancel()


@event("datascience.run time is over")
def _time_out(cloud: Cloud, subject: str) -> None:
    worker = cloud.execution.worker(subject) if cloud.execution else None
    if isinstance(worker, RunWorker):
        worker.time_out()


@resumed
def _fail_interrupted(cloud: Cloud) -> None:
    """Runs that an earlier mock left in the middle have ended with it."""
    for run in cloud.store.live_to_change(JOB_RUN):
        if run.private.get("executed") and run.data["lifecycleState"] in _RUNNING:
            reason = f"Job run artifact execution failed: {run_words.MOCK_ENDED}"
            _set_ended(cloud, run, "FAILED", reason)


class RunWorker:
    """The thread of one run, see :class:`ocimock.execute.executor.Worker`."""

    def __init__(self, cloud: Cloud, execution: Execution, run_id: str) -> None:
        self._cloud = cloud
        self._execution = execution
        self._run_id = run_id
        self._folder = execution.folder_of(run_id)
        self._inbox = Inbox()
        self._verdict = Verdict()
        self._nodes: list[Node] = []
        self._plan: RunPlan | None = None
        self._is_silent = False
        self._is_abandoned = False
        self._access: Access | None = None
        self._renew_at = 0.0
        self._thread = threading.Thread(target=self._work, name=f"run {run_id[-6:]}", daemon=True)

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
        self._is_abandoned = True
        self._inbox.close()
        for node in self.nodes():
            node.kill()
        self._inbox.wake()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _work(self) -> None:
        state, reason = "FAILED", "Job run artifact execution failed: a fault of ocimock itself"
        try:
            state, reason = self._see_through()
        except CannotRun as fault:
            reason = run_words.bootstrap_failure(str(fault))
            state = "CANCELED" if self._verdict.is_canceled else "FAILED"
        except _Forgotten:
            return
        except Exception:  # noqa: BLE001 - the mock goes on, whatever it was
            _log.exception("ocimock failed to run %s", self._run_id)
        finally:
            self._tidy(keep=self._is_kept(state))
            self._finish(state, reason)
            self._execution.remove(self._run_id, self)

    def _see_through(self) -> tuple[str, str]:
        """From the first step to the last; state and reason of the end."""
        found = self._begin()
        network = Network.take(self._execution, found)
        try:
            with RunMounts(found, self._folder, self._changing, self._warn) as mounts:
                self._come_up(found, network, mounts)
                self._supervise(found)
            return self._verdict.conclusion(found)
        finally:
            self._kill_all()
            network.give_back(self._execution)

    def _begin(self) -> RunPlan:
        """The run is IN_PROGRESS, or can't be."""
        with self._changing() as cloud:
            run, job = self._records(cloud)
            found = self._plan = plan(cloud, run, job, self._execution.settings.limits)
            if self._verdict.is_stopping:
                raise CannotRun("it was canceled before it began")
            run.data["lifecycleState"] = "IN_PROGRESS"
            run.data["timeStarted"] = cloud.clock.timestamp()
            run.data["lifecycleDetails"] = run_words.details("Job run bootstrap starting")
            for group in run.data.get("nodeGroupDetailsList") or ():
                group["lifecycleState"] = "ACTIVE"
            self._is_silent = not run_acts.may_log(cloud, run)
            for node in found.nodes:
                self._say(cloud, run, node, f"infrastructure provisioned: {node.shape}")
            for reason in obstacles(cloud, run, job):
                raise CannotRun(reason)
            if is_to_fail(cloud, job):
                raise CannotRun("the mock's settings ask for it (fail_runs)")
            minutes = run_ends.longest(run, job)
            if minutes is not None:
                run.private["maximumRuntimeInMinutes"] = self._verdict.minutes = minutes
                over = cloud.clock.now() + minutes * 60.0
                cloud.clock.schedule_at(over, "datascience.run time is over", run.id)
        return found

    def _come_up(self, found: RunPlan, network: Network, mounts: RunMounts) -> None:
        """Everything is laid out, and the nodes are started."""
        access = Access.make(self._folder / "access", self._execution, found.region)
        with self._changing() as cloud:
            run, _ = self._records(cloud)
            self._renew_at = access.renew(cloud, run)
            artifact = cloud.blobs.get(found.artifact[1]) if found.artifact else None
        self._access = access
        site = Site(self._folder, access, network, mounts.folders())
        ready = list(specs(found, site, artifact))
        with self._changing() as cloud:
            run, _ = self._records(cloud)
            in_progress = "Job run artifact execution in progress"
            run.data["lifecycleDetails"] = run_words.details(in_progress)
        for rank, spec in enumerate(ready):
            if self._verdict.is_stopping:
                break
            try:
                node = self._execution.start(spec, functools.partial(self._inbox.line, rank))
            except OSError as fault:
                raise CannotRun(f"{found.nodes[rank].name} could not be had: {fault}") from None
            self._nodes.append(node)
            threading.Thread(target=self._await, args=(rank, node), daemon=True).start()

    def _await(self, rank: int, node: Node) -> None:
        end = node.wait()
        if end is not None:
            self._inbox.ended(rank, end)

    def _supervise(self, found: RunPlan) -> None:
        """Until the last node has ended."""
        stopped: set[int] = set()
        while len(self._verdict.ends) < len(self._nodes):
            heard = self._inbox.take(_LOOK)
            if heard:
                # Lines come in bursts: one transaction for as many as may be.
                time.sleep(_GATHER)
                heard += self._inbox.take(0)
            self._hear(found, heard)
            if self._is_abandoned:
                raise _Forgotten
            self._verdict.judge(found)
            if self._verdict.is_stopping:
                self._stop_rest(stopped)
            self._keep_up()

    def _stop_rest(self, stopped: set[int]) -> None:
        grace = self._execution.settings.stop_seconds
        for rank, node in enumerate(self._nodes):
            if rank not in stopped and rank not in self._verdict.ends:
                stopped.add(rank)
                node.stop(min(grace, _SOON) if self._verdict.is_mock_ending else grace)

    def _keep_up(self) -> None:
        """Let due events happen, and keep the run's principal good."""
        if self._cloud.clock.is_due():
            with self._changing():
                pass
        if self._access is not None and time.monotonic() > self._renew_at:
            with self._changing() as cloud:
                run, _ = self._records(cloud)
                self._renew_at = self._access.renew(cloud, run)

    def _hear(self, found: RunPlan, heard: list[Line | Ended]) -> None:
        if not heard:
            return
        with self._changing() as cloud:
            run, _ = self._records(cloud)
            for item in heard:
                node = found.nodes[item.rank]
                if isinstance(item, Line):
                    self._write(cloud, run, node, item.text)
                    self._verdict.heard(item.rank, item.text)
                else:
                    self._verdict.ends[item.rank] = item.end
                    self._say(cloud, run, node, run_words.node_ended(item.end, node.limits))

    def _warn(self, text: str) -> None:
        """A line of the mock's own, by the first node."""
        with self._changing() as cloud:
            run, _ = self._records(cloud)
            if self._plan is not None:
                self._say(cloud, run, self._plan.nodes[0], text)

    def _say(self, cloud: Cloud, run: Record, node: NodePlan, text: str) -> None:
        self._write(cloud, run, node, run_words.line(node.name, text))

    def _write(self, cloud: Cloud, run: Record, node: NodePlan, text: str) -> None:
        log = (run.data.get("logDetails") or {}).get("logId")
        if log and not self._is_silent:
            append(cloud, log, run.id, text, subject=node.name)

    def _kill_all(self) -> None:
        for node in self._nodes:
            node.kill()
        for node in self._nodes:
            node.wait()

    def _tidy(self, *, keep: bool) -> None:
        self._inbox.close()
        if not keep:
            run_files.remove(self._folder)

    def _is_kept(self, state: str) -> bool:
        keep = self._execution.settings.keep
        return keep == "always" or (keep == "failed" and state == "FAILED")

    def _finish(self, state: str, reason: str) -> None:
        """Nothing of the run is left; its record says how it ended."""
        try:
            with self._changing() as cloud:
                run, _ = self._records(cloud)
                if self._plan is not None and state == "FAILED":
                    self._say(cloud, run, self._plan.nodes[0], reason)
                _set_ended(cloud, run, state, reason)
        except _Forgotten:
            return
        except Exception:  # noqa: BLE001 - the state file's disk is full, say
            _log.exception("ocimock can't write down the end of %s", self._run_id)

    @contextmanager
    def _changing(self) -> Iterator[Cloud]:
        """A transaction. :raises _Forgotten: the mock was reset."""
        with self._cloud.lock:
            if self._is_abandoned:
                raise _Forgotten
            with self._cloud.transaction():
                yield self._cloud

    def _records(self, cloud: Cloud) -> tuple[Record, Record]:
        run = cloud.store.find(JOB_RUN, self._run_id)
        job = cloud.store.find(JOB, run.data["jobId"]) if run else None
        if run is None or job is None or run.deleted:
            raise _Forgotten
        return run, job


def _set_ended(cloud: Cloud, run: Record, state: str, reason: str) -> None:
    run.data["lifecycleState"] = state
    run.data["timeFinished"] = cloud.clock.timestamp()
    run.data["lifecycleDetails"] = run_words.details(reason)
    for group in run.data.get("nodeGroupDetailsList") or ():
        group["lifecycleState"] = "FAILED" if state == "FAILED" else "DELETED"
