"""What the server of a deployment is to run: its image, variables and model, as the records say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...cloud import Cloud
from ...execute.executor import Execution
from ...execute.specs import DATASCIENCE_HOME, Bind, Limits, NodeSpec
from ...resources import require
from ...store import Record
from .base import MODEL
from .node_access import PYTHON_AT, Access, base_environment
from .run_nodes import IMAGE_FOLDER, image_for
from .run_plan import CannotRun
from .served_models import ModelFiles, files_of
from .shapes import find_shape

MODEL_FOLDER = "/opt/ds/model/deployed_model"
"""Where a container finds the model, read-only. Source: OCI documentation, "Bring Your Own
Container"."""

_PORT = 8080
_GB = 2**30
# What a flexible shape has where the client does not say; see demands.
_OCPUS, _MEMORY_GB = 1.0, 16.0
# Of the network that OCI itself has for deployments without a subnet.
_MANAGED_CIDR = "10.0.0.0/16"
# Where nodes have no networks of their own they have addresses of the host's loopback interface.
_PLAIN_NETWORK, _PLAIN_CIDR = "loopback", "127.64.0.0/16"


@dataclass(frozen=True)
class DeploymentPlan:
    """A deployment as it stood when its server was started.

    :param port: of the server; *health_port*: where its ``/health`` is.
    :param given: variables of the deployment; *service*: OCI's own, which stand over them.
    :param instances: how many the deployment has. One process stands for all of them.
    """

    deployment_id: str
    region: str
    image: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    port: int
    health_port: int
    given: Mapping[str, str]
    service: Mapping[str, str]
    files: ModelFiles
    network: str
    cidr: str
    limits: Limits
    instances: int


def plan(cloud: Cloud, record: Record, most: Limits) -> DeploymentPlan:
    """The plan of a deployment; its server may not use more than *most*.

    :raises CannotRun: it names no image, or its model's files are not there.
    """
    details = record.data["modelDeploymentConfigurationDetails"]
    environment = details.get("environmentConfigurationDetails") or {}
    of_model = details["modelConfigurationDetails"]
    instance = of_model["instanceConfiguration"]
    image = str(environment.get("image") or "")
    if not image:
        raise CannotRun(
            "the deployment names no container image: ocimock runs those that do, it has no server "
            "for score.py"
        )
    region = str(record.private["region"])
    port = int(environment.get("serverPort") or _PORT)
    subnet = cloud.store.find("subnet", str(instance.get("subnetId") or ""))
    return DeploymentPlan(
        deployment_id=record.id,
        region=region,
        image=image,
        entrypoint=tuple(environment.get("entrypoint") or ()),
        cmd=tuple(environment.get("cmd") or ()),
        port=port,
        health_port=int(environment.get("healthCheckPort") or port),
        given=dict(environment.get("environmentVariables") or {}),
        service={
            # Source: OCI documentation, "Model Deployment Environment Variables".
            "MODEL_DEPLOYMENT_OCID": record.id,
            "TENANCY_OCID": cloud.settings.tenancy_id,
            "CONTAINER_CUSTOM_IMAGE": image,
        },
        files=files_of(cloud, require(cloud, MODEL, str(of_model["modelId"])), region),
        network=subnet.id if subnet else record.id,
        cidr=str(subnet.data["cidrBlock"]) if subnet else _MANAGED_CIDR,
        limits=_limits(instance, most),
        instances=int((of_model.get("scalingPolicy") or {}).get("instanceCount", 1)),
    )


@dataclass(frozen=True)
class Place:
    """The address of a server in its network."""

    network: str
    cidr: str
    address: str

    @classmethod
    def take(cls, execution: Execution, found: DeploymentPlan) -> Place:
        """:raises CannotRun: the subnet is full."""
        network, cidr = found.network, found.cidr
        if execution.is_plain:
            network, cidr = _PLAIN_NETWORK, _PLAIN_CIDR
        try:
            (address,) = execution.addresses.take(network, cidr, 1)
        except OSError as fault:
            raise CannotRun(str(fault)) from None
        return cls(network, cidr, address)

    def give_back(self, execution: Execution) -> None:
        execution.addresses.give_back(self.network, [self.address])


def spec(found: DeploymentPlan, place: Place, access: Access, folder: Path) -> NodeSpec:
    """The server, ready to be started in *folder*; ``model`` is there already.

    :raises CannotRun: nothing stands for its image, or nothing says what that runs.
    """
    settings = access.execution.settings
    image = image_for(settings, found.image)
    command = (*(image.command or found.entrypoint), *found.cmd)
    if not command:
        raise CannotRun(
            f"nothing says what image '{found.image}' runs; say it in {settings.file}: "
            f'command = ["…"] under [images."{image.pattern}"]'
        )
    node, home = folder / "node", folder / "node" / "home"
    home.mkdir(parents=True)
    binds = [
        Bind(home, DATASCIENCE_HOME),
        Bind(folder / "model", MODEL_FOLDER, read_only=True),
        access.bind(),
    ]
    if image.folder is not None:
        binds.append(Bind(image.folder, IMAGE_FOLDER, read_only=True))
    environment = {
        **base_environment(image.environment, DATASCIENCE_HOME, found.limits.cpus),
        **(_without_container(place) if access.execution.is_plain else {}),
        **image.variables,
        **found.given,
        **found.service,
        **access.variables(),
    }
    return NodeSpec(
        name=f"deployment-{found.deployment_id[-6:]}".lower(),
        folder=node,
        command=command,
        environment=environment,
        working_directory=IMAGE_FOLDER if image.folder else DATASCIENCE_HOME,
        network=place.network,
        address=place.address,
        prefix_length=int(place.cidr.rpartition("/")[2]),
        binds=tuple(binds),
        python=image.environment,
        python_at=PYTHON_AT if image.environment else None,
        limits=found.limits,
    )


def _without_container(place: Place) -> dict[str, str]:
    """What a server must know where it has neither an address nor paths of its own."""
    return {"HOST": place.address, "MODEL_ROOT": MODEL_FOLDER}


def _limits(instance: dict[str, Any], most: Limits) -> Limits:
    """What the shape has, and no more than this machine is to give."""
    shape = find_shape(instance["instanceShapeName"])
    config = instance.get("modelDeploymentInstanceShapeConfigDetails") or {}
    cores, memory_gb = config.get("ocpus", _OCPUS), config.get("memoryInGBs", _MEMORY_GB)
    if shape is not None and not shape.is_flexible:
        cores, memory_gb = shape.cores, shape.memory
    memory = int(memory_gb * _GB)
    cpus = max(1, min(int(cores), os.cpu_count() or 1))
    return Limits(
        cpus=min(cpus, most.cpus or cpus), memory=min(memory, most.memory or memory), disk=most.disk
    )
