"""What Data Science's resources hold of the tenancy's limits and of the region's hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...cloud import Cloud
from ...limits import counts_in
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from ..core.vnics import counts_interfaces
from ..limits.catalogue import shape_limits
from .base import DEPLOYMENT, JOB, JOB_RUN, NOTEBOOK
from .shapes import find_shape

counts_in(JOB_RUN, "ACCEPTED", "IN_PROGRESS", "CANCELING", "NEEDS_ATTENTION")
counts_in(NOTEBOOK, "CREATING", "ACTIVE", "UPDATING", "DELETING")
counts_in(DEPLOYMENT, "CREATING", "ACTIVE", "UPDATING", "DELETING", "NEEDS_ATTENTION")

# What a flexible shape has where the client does not say. Source: API reference of
# JobShapeConfigDetails and its kin: ocpus and memoryInGBs are optional.
_OCPUS, _MEMORY_GB = 1.0, 16.0


@dataclass(frozen=True)
class Part:
    """Some equal nodes: their shape, its configuration if it is flexible, GB of storage each."""

    shape: str
    count: int
    config: dict[str, Any]
    storage: int = 0


def claim_run(call: Call, run: Record, job: Record) -> str | None:
    """Count a job run; why there are no hosts for it, if there are none.

    :raises LimitExceeded: the tenancy's limits do not allow it.
    """
    multi = job.data.get("jobNodeConfigurationDetails")
    if not multi:
        details = run.data["jobInfrastructureConfigurationDetails"]
        return _claim(call, run, [_node(details, 1)], {})
    parts = [
        _node(group["jobInfrastructureConfigurationDetails"], group.get("replicas", 1))
        for group in node_groups(job.data, run.data)
    ]
    return _claim(call, run, parts, {})


def node_groups(job: dict[str, Any], run: dict[str, Any]) -> list[dict[str, Any]]:
    """The node groups of a multi-node job, with what its run changes in them."""
    groups = "jobNodeGroupConfigurationDetailsList"
    override = run.get("jobNodeConfigurationOverrideDetails") or {}
    changed = {group["name"]: group for group in override.get(groups) or ()}
    given: list[dict[str, Any]] = job["jobNodeConfigurationDetails"][groups]
    return [{**group, **changed.get(group["name"], {})} for group in given]


@counts_interfaces(JOB_RUN)
def nodes_of_run(cloud: Cloud, run: Record) -> int:
    """How many nodes a job run has."""
    job = cloud.store.find(JOB, run.data["jobId"])
    if job is None or not job.data.get("jobNodeConfigurationDetails"):
        return 1
    return sum(int(group.get("replicas", 1)) for group in node_groups(job.data, run.data))


@counts_interfaces(DEPLOYMENT)
def _instances_of(_cloud: Cloud, deployment: Record) -> int:
    details = deployment.data["modelDeploymentConfigurationDetails"]
    configuration = details.get("modelConfigurationDetails") or {}
    policy = configuration.get("scalingPolicy")
    return _instances(policy) if policy else 1


def claim_notebook(call: Call, session: Record, details: dict[str, Any]) -> str | None:
    """Count a notebook session of configuration *details*; see :func:`claim_run`."""
    config = details.get("notebookSessionShapeConfigDetails") or {}
    part = Part(details["shape"], 1, config, details.get("blockStorageSizeInGBs", 0))
    return _claim(call, session, [part], {"notebook-session-count": 1})


def claim_deployment(call: Call, deployment: Record, details: dict[str, Any]) -> str | None:
    """Count a deployment by its *details* of the model; see :func:`claim_run`."""
    instance = details["instanceConfiguration"]
    config = instance.get("modelDeploymentInstanceShapeConfigDetails") or {}
    count = _instances(details["scalingPolicy"])
    return _claim(call, deployment, [Part(instance["instanceShapeName"], count, config)], {})


def shortage(record: Record) -> str | None:
    """Why there were no hosts for *record* when it claimed them, if there were none."""
    found: str | None = record.private.get("shortage")
    return found


def _claim(call: Call, record: Record, parts: list[Part], others: dict[str, int]) -> str | None:
    cloud: Cloud = call.cloud
    demand = dict(others)
    hosts: dict[str, int] = {}
    for part in parts:
        for name, amount in _amounts(part):
            demand[name] = demand.get(name, 0) + amount
        hosts[part.shape] = hosts.get(part.shape, 0) + part.count
    cloud.limits.claim(record, call.region, demand)
    lacking = cloud.capacity.take(record, call.region, hosts)
    if lacking:
        record.private["shortage"] = lacking
    else:
        record.private.pop("shortage", None)
    return lacking


def _amounts(part: Part) -> Iterator[tuple[str, int]]:
    """:raises InvalidParameter: less than nothing of something, which would give others room."""
    shape = find_shape(part.shape)
    if shape is None:
        return
    ocpus, memory = part.config.get("ocpus", _OCPUS), part.config.get("memoryInGBs", _MEMORY_GB)
    for field, value in (("ocpus", ocpus), ("memoryInGBs", memory), ("instances", part.count)):
        if value <= 0:
            raise InvalidParameter(f"{field} of {part.shape}: {value} is not above 0")
    for name in shape_limits(shape):
        if "-core-" in name:
            each = ocpus if shape.is_flexible else shape.cores
        elif "-memory-" in name:
            each = memory
        else:
            each = shape.gpus
        yield name, int(each * part.count)
    if part.storage:
        yield "ds-block-volume-gb", part.storage * part.count


def _node(details: dict[str, Any], count: int) -> Part:
    config = details.get("jobShapeConfigDetails") or {}
    return Part(details["shapeName"], count, config, details.get("blockStorageSizeInGBs", 0))


def _instances(policy: dict[str, Any]) -> int:
    """How many instances a scaling policy begins with."""
    if policy.get("policyType") != "AUTOSCALING":
        return int(policy.get("instanceCount", 1))
    rules = policy.get("autoScalingPolicies") or [{}]
    return int(rules[0].get("initialInstanceCount", 1))
