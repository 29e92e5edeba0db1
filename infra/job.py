"""The form of a job in ADS's YAML, which all of ours share.

The runtime is the one for PyTorch, the only one of ADS that has ``dependencies``; its driver runs
a command that is no launcher (torchrun, …) plainly, so that it also does for staging and merging.
"""

from dataclasses import dataclass
from typing import Any

from infra.places import Places
from infra.recipes import packages, pip_words
from infra.tenancy.schema import Tenancy

Definition = dict[str, Any]

HOME = "/home/datascience"
"""Of the user that a job runs as; its block storage is there."""


@dataclass(frozen=True)
class Machine:
    """What each node is. *size* is OCPUs and memory in GB, of flexible shapes only."""

    shape: str
    storage_gb: int
    size: tuple[int, int] | None = None


def job(
    tenancy: Tenancy,
    places: Places,
    *,
    name: str,
    machine: Machine,
    mounts: dict[str, str],
    runtime: Definition,
) -> Definition:
    """ADS's ``Job``. *mounts* are folders of the bucket by the name that they get under /mnt."""
    if tenancy.tags:
        # Of the runtime, not of the infrastructure, whose tags ADS loses if there are both.
        runtime = {**runtime, "freeformTags": dict(tenancy.tags)}
    return {
        "kind": "job",
        "apiVersion": "v1.0",
        "spec": {
            "name": name,
            "infrastructure": {
                "kind": "infrastructure",
                "type": "dataScienceJob",
                "spec": _infrastructure(tenancy, places, machine, mounts),
            },
            "runtime": {"kind": "runtime", "type": "pyTorchDistributed", "spec": runtime},
        },
    }


def own_environment(conda: str) -> Definition:
    """The conda environment of our recipes, what they want installed into it, where they start."""
    return {
        # ADS's driver goes to the folder of the job's code, which a job without any (its code is
        # in a mounted folder) has not: without this the run ends before it has begun.
        "workingDir": HOME,
        "conda": {"type": "service", "slug": conda},
        "dependencies": {"pipPackages": pip_words(packages())},
    }


def env(variables: dict[str, str]) -> list[Definition]:
    """ADS's list form."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def _infrastructure(
    tenancy: Tenancy, places: Places, machine: Machine, mounts: dict[str, str]
) -> Definition:
    spec: Definition = {
        "blockStorageSize": machine.storage_gb,
        "compartmentId": tenancy.compartment_ocid,
        "logGroupId": places.log_group_id,
        "logId": places.job_log_id,
        "projectId": places.project_id,
        "subnetId": places.subnet_id,
        "shapeName": machine.shape,
        "storageMount": [
            {"src": places.uri(prefix), "dest": dest} for dest, prefix in mounts.items()
        ],
    }
    if machine.size is not None:
        ocpus, memory = machine.size
        spec["shapeConfigDetails"] = {"ocpus": ocpus, "memoryInGBs": memory}
    return spec
