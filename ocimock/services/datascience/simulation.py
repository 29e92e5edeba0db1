"""The course of a job run that runs no code: states, details and log lines, on the clock.

Each step is an event on the clock, at a part of the run's whole time. Every state and every line
says that it is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...cloud import Cloud, event
from ...store import Record
from ..logging.records import append
from ..objectstorage.base import BUCKET, bucket_key
from . import run_acts, run_ends, run_network
from .base import JOB, JOB_RUN, SIMULATED
from .demands import node_groups, shortage

_FAILED = "Job run artifact execution failed"
PROVISIONING = f"Infrastructure provisioning ({SIMULATED})."


@dataclass(frozen=True)
class Node:
    """One node of a run: its name in the log, its shape, and the entry point that it would run."""

    name: str
    shape: str
    entry_point: str


# When each step comes, in parts of the run's whole time. The wording is OCI's own.
_STEPS = ((0.15, "start"), (0.35, "execute"), (0.65, "half-way"), (1.0, "finish"))


def plan(cloud: Cloud, run: Record) -> None:
    """Schedule the whole course of a run that was just accepted."""
    seconds = run_ends.seconds_of(cloud, run)
    steps = [(part * seconds, name) for part, name in _STEPS]
    steps += run_network.patience(cloud, {name: delay for delay, name in steps})
    steps += run_ends.time_out(cloud, run, after=steps[0][0])
    # Nodes that never met have not come half-way, when both are due at once.
    for delay, name in sorted(steps, key=lambda step: (step[0], step[1] != run_network.PATIENCE)):
        cloud.clock.schedule(delay, "datascience.run", f"{run.id}/{name}")


def cancel(cloud: Cloud, run: Record, seconds: float) -> None:
    """Schedule the end of a run that was just asked to stop."""
    cloud.clock.schedule(seconds, "datascience.run", f"{run.id}/cancel")


@event("datascience.run")
def _step(cloud: Cloud, subject: str) -> None:
    identifier, name = subject.split("/")
    run = cloud.store.find(JOB_RUN, identifier)
    job = cloud.store.find(JOB, run.data["jobId"]) if run else None
    if run is None or job is None or run.deleted:
        return
    state = run.data["lifecycleState"]
    if name == "cancel":
        _end(cloud, run, "CANCELED", "Job run canceled")
    elif name == "shortage" and state == "ACCEPTED":
        _end(cloud, run, "FAILED", f"{run_ends.NO_HOST}: {shortage(run)}")
    elif name == "time out" and state == "IN_PROGRESS":
        _end(cloud, run, "CANCELED", run_ends.timed_out(run))
    elif state == "ACCEPTED" and name == "start":
        _start(cloud, run, job)
    elif state == "IN_PROGRESS":
        _go_on(cloud, run, job, name)


def nodes(job: Record, run: Record) -> list[Node]:
    """The nodes that the run has: one, or those of the job's node groups."""
    multi = job.data.get("jobNodeConfigurationDetails")
    if not multi:
        details = run.data["jobInfrastructureConfigurationDetails"]
        # Older clients start one run a node, and tell each its rank.
        override = run.data["jobConfigurationOverrideDetails"].get("environmentVariables") or {}
        name = f"node {override.get('NODE_RANK', 0)}"
        return [Node(name, details["shapeName"], _entry_point(job.data))]
    found: list[Node] = []
    for group in node_groups(job.data, run.data):
        shape = group["jobInfrastructureConfigurationDetails"]["shapeName"]
        for _ in range(group.get("replicas", 1)):
            name = f"node {len(found)} of {group['name']}"
            found.append(Node(name, shape, _entry_point(group)))
    return found


def _start(cloud: Cloud, run: Record, job: Record) -> None:
    run.data["lifecycleState"] = "IN_PROGRESS"
    run.data["timeStarted"] = cloud.clock.timestamp()
    _detail(run, "Job run bootstrap starting")
    for group in run.data.get("nodeGroupDetailsList") or ():
        group["lifecycleState"] = "ACTIVE"
    run.private["silent"] = not run_acts.may_log(cloud, run)
    for node in nodes(job, run):
        _say(cloud, run, node, f"infrastructure provisioned: {node.shape}")
    reasons = [*_in_network(cloud, run, job, "start"), *obstacles(cloud, run, job)]
    for reason in reasons:
        _fail(cloud, run, job, f"Job run bootstrap failure: {reason}")
        return


def _in_network(cloud: Cloud, run: Record, job: Record, name: str) -> Iterator[str]:
    """Why the run's subnet stops it at this step, if it does; its first node says so before."""
    found = run_network.obstacle(cloud, run, job, name)
    if found is None:
        return
    if found.line:
        _say(cloud, run, nodes(job, run)[0], found.line)
    yield found.reason


def _go_on(cloud: Cloud, run: Record, job: Record, name: str) -> None:
    for stopped in _in_network(cloud, run, job, name):
        _fail(cloud, run, job, f"{_FAILED} with exit code 1: {stopped}")
        return
    if name == run_network.PATIENCE:
        return
    reason = run_acts.refusal(cloud, run, job, name)
    if reason and name != "half-way":
        _fail(cloud, run, job, f"{_FAILED} with exit code 1: {reason}")
    elif name == "execute":
        _detail(run, "Job run artifact execution in progress")
        for node in nodes(job, run):
            _say(cloud, run, node, f"would start {node.entry_point} now")
    elif name == "half-way":
        for node in nodes(job, run):
            _say(cloud, run, node, "half of the simulated time has passed")
            # ADS's driver posts metrics from a process of its own; the code goes on without.
            if reason:
                _say(cloud, run, node, reason)
    elif (failure := cloud.settings.failure(job.data["displayName"])) is not None:
        why = failure or "exit code 1"
        for node in nodes(job, run)[:1]:
            _say(cloud, run, node, f"failing, as the mock's settings ask (fail_runs): {why}")
        _end(cloud, run, "FAILED", f"{_FAILED} with {why}")
    else:
        for node in nodes(job, run):
            _say(cloud, run, node, "finished with exit code 0")
        _end(cloud, run, "SUCCEEDED", "Job run artifact execution succeeded")


def _fail(cloud: Cloud, run: Record, job: Record, details: str) -> None:
    for node in nodes(job, run)[:1]:
        _say(cloud, run, node, details)
    _end(cloud, run, "FAILED", details)


def _end(cloud: Cloud, run: Record, state: str, details: str) -> None:
    run.data["lifecycleState"] = state
    run.data["timeFinished"] = cloud.clock.timestamp()
    _detail(run, details)
    for group in run.data.get("nodeGroupDetailsList") or ():
        group["lifecycleState"] = "FAILED" if state == "FAILED" else "DELETED"


def _detail(run: Record, text: str) -> None:
    run.data["lifecycleDetails"] = f"{text} ({SIMULATED})."


def _say(cloud: Cloud, run: Record, node: Node, text: str) -> None:
    log = (run.data.get("logDetails") or {}).get("logId")
    if not log or run.private.get("silent"):
        return
    message = f"[{node.name}] [{SIMULATED}] {text}"
    append(cloud, log, run.id, message, subject=node.name)


def obstacles(cloud: Cloud, run: Record, job: Record) -> Iterator[str]:
    """Why the run can't come up, if it can't."""
    if "artifact" not in job.private and not _has_container(job.data):
        yield f"job {job.id} has no artifact"
    region = run.private["region"]
    for mount in run_acts.mounts(run):
        bucket = mount.get("bucket")
        if bucket and cloud.store.find(BUCKET, bucket_key(region, bucket)) is None:
            yield f"bucket '{bucket}' for {mount['destinationDirectoryName']} can't be mounted"
    if reason := run_acts.refusal(cloud, run, job, "start"):
        yield reason


def _configurations(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The job itself, or its node groups: each has configuration and environment details."""
    multi = data.get("jobNodeConfigurationDetails")
    return multi["jobNodeGroupConfigurationDetailsList"] if multi else [data]


def _has_container(data: dict[str, Any]) -> bool:
    for part in _configurations(data):
        if part.get("jobEnvironmentConfigurationDetails"):
            return True
        if "CONTAINER_CUSTOM_IMAGE" in _environment(part):
            return True
    return False


def _entry_point(part: dict[str, Any]) -> str:
    """The name of what would run. Values of the environment are not shown: they may be secret."""
    return str(_environment(part).get("JOB_RUN_ENTRYPOINT") or "the job's artifact")


def _environment(part: dict[str, Any]) -> dict[str, str]:
    details = part.get("jobConfigurationDetails") or {}
    return details.get("environmentVariables") or {}


def is_to_fail(cloud: Cloud, job: Record) -> bool:
    """Whether the mock's settings want runs of *job* to fail."""
    return cloud.settings.failure(job.data["displayName"]) is not None
