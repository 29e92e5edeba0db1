"""What a job may ask for: checks of its configuration, field by field."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud
from ...resources import require
from ...wire.errors import InvalidParameter, MissingParameter
from .demands import node_groups
from .environments import check_command
from .shapes import check_shape

# GB. Source: API reference of JobInfrastructureConfigurationDetails.
_BLOCK_STORAGE = (50, 10_240)
_SINGLE = ("STANDALONE", "ME_STANDALONE")
_MOUNTS = 5
# 30 days. Source: OCI documentation, "Creating a Job".
_LONGEST_MINUTES = 43_200


def check_job(cloud: Cloud, data: dict[str, Any]) -> None:
    """The whole of a job.

    :raises InvalidParameter, MissingParameter: a field is wrong; the message names it.
    :raises NotAuthorizedOrNotFound: a subnet, log or log group that it names is not there.
    """
    nodes = data.get("jobNodeConfigurationDetails")
    if nodes:
        _check_empty(data)
        check_nodes(cloud, nodes)
    else:
        _check_single(cloud, data)
    if logging := data.get("jobLogConfigurationDetails"):
        check_logging(cloud, logging)
    check_mounts(data.get("jobStorageMountConfigurationDetailsList") or [])


def check_nodes(
    cloud: Cloud, nodes: dict[str, Any], where: str = "jobNodeConfigurationDetails"
) -> None:
    """The multi-node form: groups of nodes on one network."""
    groups = nodes.get("jobNodeGroupConfigurationDetailsList") or []
    if not groups:
        raise MissingParameter(f"{where}.jobNodeGroupConfigurationDetailsList must not be empty")
    network = nodes.get("jobNetworkConfiguration") or {}
    if network.get("subnetId"):
        require(cloud, "subnet", network["subnetId"])
    check_runtime(nodes, where)
    for number, group in enumerate(groups):
        place = f"{where}.jobNodeGroupConfigurationDetailsList[{number}]"
        replicas = group.get("replicas", 1)
        if replicas < 1:
            raise InvalidParameter(f"{place}.replicas: {replicas} is less than 1")
        if group.get("minimumSuccessReplicas", 0) > replicas:
            raise InvalidParameter(f"{place}.minimumSuccessReplicas is more than {replicas}")
        configuration = "jobConfigurationDetails"
        check_runtime(group.get(configuration), f"{place}.{configuration}")
        environment = "jobEnvironmentConfigurationDetails"
        check_command(group.get(environment), f"{place}.{environment}")
        details = group.get("jobInfrastructureConfigurationDetails")
        if not details:
            raise MissingParameter(f"{place}.jobInfrastructureConfigurationDetails is required")
        check_infrastructure(
            cloud, details, f"{place}.jobInfrastructureConfigurationDetails", ("MULTI_NODE",)
        )


def check_infrastructure(
    cloud: Cloud, details: dict[str, Any], where: str, kinds: tuple[str, ...] = _SINGLE
) -> None:
    """Shape, block storage and subnet."""
    kind = details["jobInfrastructureType"]
    if kind not in kinds:
        raise InvalidParameter(
            f"{where}.jobInfrastructureType: '{kind}' is not {' or '.join(kinds)} here"
        )
    check_shape(details["shapeName"], "jobs", f"{where}.shapeName")
    size = details["blockStorageSizeInGBs"]
    least, most = _BLOCK_STORAGE
    if not least <= size <= most:
        raise InvalidParameter(f"{where}.blockStorageSizeInGBs: {size} is not {least} to {most}")
    if details.get("subnetId"):
        require(cloud, "subnet", details["subnetId"])


def check_runtime(configuration: dict[str, Any] | None, where: str) -> None:
    """How long a run may take at most."""
    minutes = (configuration or {}).get("maximumRuntimeInMinutes")
    if minutes is not None and not 1 <= minutes <= _LONGEST_MINUTES:
        raise InvalidParameter(
            f"{where}.maximumRuntimeInMinutes: {minutes} is not 1 to {_LONGEST_MINUTES}"
        )


def check_logging(cloud: Cloud, details: dict[str, Any]) -> None:
    """Log group and log; with automatic creation a log is made for each run."""
    where = "jobLogConfigurationDetails"
    if not details.get("enableLogging"):
        return
    if not details.get("logGroupId"):
        raise MissingParameter(f"{where}.logGroupId is required when logging is enabled")
    group = require(cloud, "loggroup", details["logGroupId"])
    if details.get("enableAutoLogCreation"):
        if details.get("logId"):
            raise InvalidParameter(f"{where}.logId: a log is made for each run; name none")
        return
    if not details.get("logId"):
        raise MissingParameter(f"{where}.logId is required unless enableAutoLogCreation is true")
    log = require(cloud, "log", details["logId"])
    if log.data["logGroupId"] != group.id:
        raise InvalidParameter(f"{where}.logId: {log.id} is not in log group {group.id}")


def check_mounts(mounts: list[dict[str, Any]]) -> None:
    """Storage mounts: few enough, each in a directory of its own."""
    where = "jobStorageMountConfigurationDetailsList"
    if len(mounts) > _MOUNTS:
        raise InvalidParameter(f"{where}: {len(mounts)} given, {_MOUNTS} are allowed")
    directories = [
        (mount.get("destinationPath") or "/mnt", mount["destinationDirectoryName"])
        for mount in mounts
    ]
    for number, directory in enumerate(directories):
        if directory in directories[:number]:
            raise InvalidParameter(f"{where}[{number}]: {'/'.join(directory)} is taken already")


def check_node_overrides(
    cloud: Cloud, job: dict[str, Any], override: dict[str, Any] | None
) -> None:
    """What a run changes in node groups: only groups that its job has, to what they may be."""
    if not override:
        return
    where = "jobNodeConfigurationOverrideDetails"
    nodes = job.get("jobNodeConfigurationDetails")
    if not nodes:
        raise InvalidParameter(f"{where}: the job has no node groups")
    groups = "jobNodeGroupConfigurationDetailsList"
    names = [group["name"] for group in nodes[groups]]
    for number, group in enumerate(override.get(groups) or []):
        if group["name"] not in names:
            raise InvalidParameter(
                f"{where}.{groups}[{number}].name: '{group['name']}' is not one of "
                f"{', '.join(names)}"
            )
    # What it leaves open, its job says, and that was checked with the job.
    of_job = {group["name"]: group for group in node_groups(job, {})}
    kept = ("replicas", "jobInfrastructureConfigurationDetails")
    given = [
        {**{name: of_job[group["name"]].get(name, 1) for name in kept}, **group}
        for group in override.get(groups) or []
    ]
    if given:
        check_nodes(cloud, {**override, groups: given}, where)


def _check_empty(data: dict[str, Any]) -> None:
    """A job of several nodes says what it runs on by node group, and nowhere else."""
    for name, kind in (
        ("jobConfigurationDetails", "jobType"),
        ("jobInfrastructureConfigurationDetails", "jobInfrastructureType"),
    ):
        given = data.get(name, {}).get(kind, "EMPTY")
        if given != "EMPTY":
            raise InvalidParameter(
                f"{name}.{kind}: '{given}' beside jobNodeConfigurationDetails; say it by node group"
            )


def _check_single(cloud: Cloud, data: dict[str, Any]) -> None:
    for name in ("jobConfigurationDetails", "jobInfrastructureConfigurationDetails"):
        if not data.get(name):
            raise MissingParameter(f"{name} must not be null unless the job has several nodes")
    where = "jobInfrastructureConfigurationDetails"
    check_infrastructure(cloud, data[where], where)
    where = "jobEnvironmentConfigurationDetails"
    check_command(data.get(where), where)
    check_runtime(data["jobConfigurationDetails"], "jobConfigurationDetails")
