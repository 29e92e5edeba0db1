"""The nodes of a run, ready to be started: homes, mounts, environments, commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...execute.executor import Execution
from ...execute.settings import ExecutionSettings, Image
from ...execute.specs import DATASCIENCE_HOME, Bind, NodeSpec
from ...wire.body import Body
from .node_access import ACCESS_FOLDER, PYTHON_AT, Access, base_environment
from .run_files import empty_home, make_home
from .run_plan import CannotRun, Container, NodePlan, RunPlan

IMAGE_FOLDER = "/opt/ocimock/image"
"""Where the files of what stands for an image lie; its working directory."""

_CLUSTER = "cluster_nodes.json"
_HOSTS = "hosts"
# Nodes of a machine that can't keep them apart have loopback addresses.
_PLAIN_NETWORK, _PLAIN_CIDR = "loopback", "127.64.0.0/16"


@dataclass(frozen=True)
class Network:
    """Where a run's nodes are: addresses by rank."""

    name: str
    cidr: str
    addresses: tuple[str, ...]

    @classmethod
    def take(cls, execution: Execution, plan: RunPlan) -> Network:
        """:raises CannotRun: the subnet is full."""
        name, cidr = plan.network, plan.cidr
        if execution.is_plain:
            name, cidr = _PLAIN_NETWORK, _PLAIN_CIDR
        try:
            addresses = execution.addresses.take(name, cidr, len(plan.nodes))
        except OSError as fault:
            raise CannotRun(str(fault)) from None
        return cls(name, cidr, tuple(addresses))

    def give_back(self, execution: Execution) -> None:
        execution.addresses.give_back(self.name, list(self.addresses))


@dataclass(frozen=True)
class Site:
    """What the nodes of a run have in common.

    :param folder: the run's, on the host.
    :param mounts: folders of the host by the paths at which the nodes see them.
    """

    folder: Path
    access: Access
    network: Network
    mounts: Mapping[str, Path]


def specs(plan: RunPlan, site: Site, artifact: Body | None) -> Iterator[NodeSpec]:
    """The nodes, rank by rank; their homes are made.

    :raises CannotRun: the artifact is wrong, or nothing stands for an environment or an image.
    """
    _write_cluster(plan, site)
    for node in plan.nodes:
        yield _spec(plan, site, node, artifact)


def _spec(plan: RunPlan, site: Site, node: NodePlan, artifact: Body | None) -> NodeSpec:
    settings = site.access.execution.settings
    folder = site.folder / f"node-{node.rank}"
    home = folder / "home"
    empty_home(home)
    if node.container:
        python, command, spec = _container(settings, node.container)
    else:
        python, spec = _conda(settings, node.variables), _Start(DATASCIENCE_HOME)
        if plan.artifact is None or artifact is None:
            raise CannotRun("the job has no artifact")
        command = make_home(home, plan.artifact[0], artifact, node.variables, node.limits.disk)
        _check_python(command, python, settings)
    command = (*command, *node.arguments)
    binds = [Bind(home, DATASCIENCE_HOME), site.access.bind(), *spec.binds]
    binds += [Bind(source, target) for target, source in site.mounts.items()]
    name = host_name(plan, node.rank)
    if not site.access.execution.is_plain:
        binds.append(Bind(site.access.folder / _HOSTS, "/etc/hosts", read_only=True))
    return NodeSpec(
        name=name,
        folder=folder,
        command=command,
        environment=_environment(plan, site, node, python, spec.variables),
        working_directory=spec.working_directory,
        network=site.network.name,
        address=site.network.addresses[node.rank],
        prefix_length=int(site.network.cidr.rpartition("/")[2]),
        binds=tuple(binds),
        python=python,
        python_at=PYTHON_AT if python else None,
        limits=node.limits,
    )


@dataclass(frozen=True)
class _Start:
    """How a node starts, by what it runs."""

    working_directory: str
    binds: tuple[Bind, ...] = ()
    variables: Mapping[str, str] | None = None


def _container(
    settings: ExecutionSettings, container: Container
) -> tuple[Path | None, tuple[str, ...], _Start]:
    image = image_for(settings, container.image)
    command = image.command or (*container.entrypoint, *container.cmd)
    if not command:
        raise CannotRun(
            f"the job gives image '{container.image}' no entry point; say in {settings.file} what "
            f'runs: command = ["…"] under [images."{image.pattern}"]'
        )
    if image.folder is None:
        return image.environment, command, _Start(DATASCIENCE_HOME, variables=image.variables)
    bind = Bind(image.folder, IMAGE_FOLDER, read_only=True)
    return image.environment, command, _Start(IMAGE_FOLDER, (bind,), image.variables)


def image_for(settings: ExecutionSettings, name: str) -> Image:
    """What stands for the image *name*.

    :raises CannotRun: nothing does; the message says what to add.
    """
    found = settings.image(name)
    if found is None:
        raise CannotRun(
            f"nothing stands for image '{name}' on this machine; add it to {settings.file}: "
            f'[images."{name}"], with environment, folder and command'
        )
    return found


def _conda(settings: ExecutionSettings, variables: Mapping[str, str]) -> Path | None:
    """The environment that stands for the conda environment that the variables name.

    Source: OCI documentation, "Job Environment Variables": a service's environment has a slug, a
    published one the name of its object.
    """
    published = PurePosixPath(variables.get("CONDA_ENV_OBJECT_NAME", "")).name
    slug = variables.get("CONDA_ENV_SLUG") or published
    found = settings.environment(slug)
    if slug and found is None:
        raise CannotRun(
            f"nothing stands for conda environment '{slug}' on this machine; add it to "
            f'{settings.file}: [environments], "{slug}" = the folder of a Python environment'
        )
    return found


def _check_python(
    command: tuple[str, ...], python: Path | None, settings: ExecutionSettings
) -> None:
    if command[0] == "python" and python is None:
        raise CannotRun(
            "the job names no conda environment, and no Python stands for that on this machine; "
            f'add it to {settings.file}: [environments], "*" = the folder of a Python environment'
        )


def _environment(
    plan: RunPlan,
    site: Site,
    node: NodePlan,
    python: Path | None,
    of_image: Mapping[str, str] | None,
) -> dict[str, str]:
    """All of a node's variables: what comes later in the list stands over what comes before."""
    found = {
        **base_environment(python, DATASCIENCE_HOME, node.limits.cpus),
        **(of_image or {}),
        **node.variables,
        **plan.service_variables,
        **site.access.variables(),
        "FQDN": _qualified(plan, node.rank),
    }
    if plan.is_multi_node:
        found |= {
            "NODE_RANK": str(node.rank),
            "INITIAL_CLUSTER_SIZE": str(len(plan.nodes)),
            "CLUSTER_NODES_METADATA_FILE": f"{ACCESS_FOLDER}/{_CLUSTER}",
        }
    if site.access.execution.is_plain:
        found = _without_networks(plan, found)
    return found


def _without_networks(plan: RunPlan, found: dict[str, str]) -> dict[str, str]:
    """What ADS's driver needs where a node has no interface of its own: the host's loopback."""
    found = {"SET_SOCKET_IFNAME": "lo", "GLOO_SOCKET_IFNAME": "lo", **found}
    is_classic = not plan.is_multi_node and int(found.get("NODE_COUNT") or 1) > 1
    # It looks for its address in the job's subnet, which is none of this machine's.
    return {**found, "JOB_OCID": ""} if is_classic else found


def _write_cluster(plan: RunPlan, site: Site) -> None:
    """Who is where: the file that OCI leaves for nodes, and their host names."""
    addresses = site.network.addresses
    nodes = [{"Rank": str(rank), "IPAddress": found} for rank, found in enumerate(addresses)]
    (site.access.folder / _CLUSTER).write_text(json.dumps(nodes))
    lines = ["127.0.0.1 localhost"]
    for rank, address in enumerate(addresses):
        names = dict.fromkeys((_qualified(plan, rank), host_name(plan, rank)))
        lines.append(f"{address} {' '.join(names)}")
    (site.access.folder / _HOSTS).write_text("\n".join(lines) + "\n")


def host_name(plan: RunPlan, rank: int) -> str:
    """Of a node: no two of a subnet have the same."""
    return f"node-{rank}-{plan.run_id[-6:]}".lower()


def _qualified(plan: RunPlan, rank: int) -> str:
    name = host_name(plan, rank)
    return f"{name}.{plan.domain}" if plan.domain else name
