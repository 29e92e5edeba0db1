"""What a job run is to run: its nodes, their variables and commands, as its job and it say."""

from __future__ import annotations

import copy
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...cloud import Cloud
from ...execute.specs import Limits
from ...store import Record
from . import run_acts
from .demands import node_groups
from .shapes import find_shape

_GB = 2**30
# What a flexible shape has where the client does not say; see demands.
_OCPUS, _MEMORY_GB = 1.0, 16.0


class CannotRun(Exception):  # noqa: N818 - the run fails for it, the mock does not
    """The run can't come up; the message says why, and what to do."""


@dataclass(frozen=True)
class Container:
    """The image that a node is to run, and what of it: OCI's exec form."""

    image: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]


@dataclass(frozen=True)
class NodePlan:
    """One node of a run.

    :param rank: from 0 in the run; of a run that is one node of several, among those.
    :param name: for people, as the log has it.
    :param group: the name of its node group; empty of a run without.
    :param variables: those that job, node group and run give it.
    :param arguments: the command line of the job, in words.
    """

    rank: int
    name: str
    group: str
    shape: str
    variables: Mapping[str, str]
    arguments: tuple[str, ...]
    container: Container | None
    limits: Limits


@dataclass(frozen=True)
class RunPlan:
    """All of a run, as it stood when it began.

    :param artifact: name and blob of the job's artifact, if it has one.
    :param network: the OCID of its nodes' subnet, its own where it has none.
    :param least: of each node group, how many nodes must succeed.
    """

    run_id: str
    region: str
    nodes: tuple[NodePlan, ...]
    is_multi_node: bool
    service_variables: Mapping[str, str]
    artifact: tuple[str, str] | None
    mounts: tuple[dict[str, Any], ...]
    network: str
    cidr: str
    domain: str
    least: Mapping[str, int]


# Of the network that OCI itself has for runs without a subnet.
_MANAGED_CIDR = "10.0.0.0/16"


def plan(cloud: Cloud, run: Record, job: Record, most: Limits) -> RunPlan:
    """The plan of *run*; no node may use more than *most*."""
    nodes = tuple(_nodes(run, job, most))
    artifact = job.private.get("artifact")
    subnets = run_acts.subnets(job.data) + run_acts.subnets(run.data)
    subnet = cloud.store.find("subnet", subnets[-1]) if subnets else None
    multi = bool(job.data.get("jobNodeConfigurationDetails"))
    return RunPlan(
        run_id=run.id,
        region=str(run.private["region"]),
        nodes=nodes,
        is_multi_node=multi,
        service_variables=_service_variables(cloud, run, job),
        artifact=(artifact["filename"], artifact["blob"]) if artifact else None,
        mounts=tuple(copy.deepcopy(run_acts.mounts(run))),
        network=subnet.id if subnet else run.id,
        cidr=str(subnet.data["cidrBlock"]) if subnet else _MANAGED_CIDR,
        domain=str(subnet.data.get("subnetDomainName") or "") if subnet else "",
        least=_least(run, job) if multi else {"": 1},
    )


def _nodes(run: Record, job: Record, most: Limits) -> Iterator[NodePlan]:
    if not job.data.get("jobNodeConfigurationDetails"):
        details = run.data["jobInfrastructureConfigurationDetails"]
        yield _node(run, job.data, 0, "", details, most)
        return
    rank = 0
    for group in node_groups(job.data, run.data):
        details = group["jobInfrastructureConfigurationDetails"]
        for _ in range(group.get("replicas", 1)):
            yield _node(run, {**job.data, **group}, rank, group["name"], details, most)
            rank += 1


def _node(
    run: Record, part: dict[str, Any], rank: int, group: str, details: dict[str, Any], most: Limits
) -> NodePlan:
    """*part* is the job, or a node group with what it leaves to its job."""
    given = part.get("jobConfigurationDetails") or {}
    override = run.data.get("jobConfigurationOverrideDetails") or {}
    variables = {**(given.get("environmentVariables") or {})}
    variables |= override.get("environmentVariables") or {}
    arguments = override.get("commandLineArguments") or given.get("commandLineArguments") or ""
    # Older clients start one run a node, and tell each its rank.
    name = f"node {rank} of {group}" if group else f"node {variables.get('NODE_RANK', 0)}"
    return NodePlan(
        rank=rank,
        name=name,
        group=group,
        shape=details["shapeName"],
        variables=variables,
        arguments=_words(arguments, "commandLineArguments"),
        container=_container(part, run, variables),
        limits=_limits(details, most),
    )


def _words(text: str, where: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as fault:
        raise CannotRun(f"{where} can't be read as a command line: {fault}") from None


def _container(part: dict[str, Any], run: Record, variables: Mapping[str, str]) -> Container | None:
    """By the environment that the job names; older clients say it by variables."""
    details = run.data.get("jobEnvironmentConfigurationOverrideDetails") or part.get(
        "jobEnvironmentConfigurationDetails"
    )
    if details:
        entrypoint, cmd = details.get("entrypoint") or (), details.get("cmd") or ()
        return Container(details["image"], tuple(entrypoint), tuple(cmd))
    if image := variables.get("CONTAINER_CUSTOM_IMAGE"):
        words = [variables.get(name) for name in ("CONTAINER_ENTRYPOINT", "CONTAINER_CMD")]
        entrypoint, cmd = (tuple(found.split(",")) if found else () for found in words)
        return Container(image, entrypoint, cmd)
    return None


def _limits(details: dict[str, Any], most: Limits) -> Limits:
    """What the shape has, and no more than this machine is to give."""
    shape = find_shape(details["shapeName"])
    config = details.get("jobShapeConfigDetails") or {}
    cores, memory = config.get("ocpus", _OCPUS), config.get("memoryInGBs", _MEMORY_GB)
    if shape is not None and not shape.is_flexible:
        cores, memory = shape.cores, shape.memory
    cpus = max(1, min(int(cores), os.cpu_count() or 1))
    disk = int(details["blockStorageSizeInGBs"] * _GB)
    return Limits(
        cpus=min(cpus, most.cpus or cpus),
        memory=min(int(memory * _GB), most.memory or int(memory * _GB)),
        disk=min(disk, most.disk or disk),
    )


def _least(run: Record, job: Record) -> dict[str, int]:
    return {
        group["name"]: int(group.get("minimumSuccessReplicas") or group.get("replicas", 1))
        for group in node_groups(job.data, run.data)
    }


def _service_variables(cloud: Cloud, run: Record, job: Record) -> dict[str, str]:
    """What OCI itself tells a run. Source: OCI documentation, "Job Environment Variables"."""
    project = cloud.store.find("datascienceproject", run.data["projectId"])
    found = {
        "TENANCY_OCID": cloud.settings.tenancy_id,
        "PROJECT_OCID": run.data["projectId"],
        "PROJECT_COMPARTMENT_OCID": project.data["compartmentId"] if project else "",
        "JOB_OCID": job.id,
        "JOB_COMPARTMENT_OCID": job.data["compartmentId"],
        "JOB_RUN_OCID": run.id,
        "JOB_RUN_COMPARTMENT_OCID": run.data["compartmentId"],
    }
    if artifact := job.private.get("artifact"):
        found["JOB_ARTIFACT_FILE_NAME"] = artifact["filename"]
    return found
