"""How far a simulated job run gets in the subnet that its job names, with ``enforce_network``.

A job that names no subnet has the service's own network, and that is in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ...cloud import Cloud
from ...store import Record
from ..core import reach
from ..core.private_ips import private_ips, usable_addresses
from . import run_acts
from .demands import nodes_of_run

# torchrun's rendezvous, a constant of the driver that ADS puts into a job.
_RENDEZVOUS = (29400, 29400)
# What fetches from a model hub: Hugging Face's tools, and modules that name it.
_FROM_HUB = re.compile(r"\b(hf|huggingface-cli|snapshot_download|recipes\.stage)\b")
_HUB = "https://huggingface.co"

# The step at which nodes that do not reach each other give up, and after how many seconds of their
# code: ADS's driver gives torchrun a read_timeout of 600, and torch's process group of NCCL waits
# as long by default.
PATIENCE = "patience"
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Obstacle:
    """*reason* is for the run's details, *line* what a node would have said in the log."""

    reason: str
    line: str = ""


def obstacle(cloud: Cloud, run: Record, job: Record, step: str) -> Obstacle | None:
    """What in its subnet stops the run at *step* of its course; None if nothing does."""
    if not cloud.settings.enforce_network:
        return None
    looks = {"start": _at_start, "execute": _at_execution, PATIENCE: _between_nodes}
    if step not in looks:
        return None
    for identifier in dict.fromkeys((*run_acts.subnets(job.data), *run_acts.subnets(run.data))):
        subnet = cloud.store.find("subnet", identifier)
        if subnet is None or subnet.deleted:
            return Obstacle(f"subnet {identifier} is no more")
        for found in looks[step](cloud, run, job, subnet):
            return found
    return None


def patience(cloud: Cloud, course: dict[str, float]) -> list[tuple[float, str]]:
    """When nodes that did not meet give up, half-way at the latest; *course*: the other steps and
    when they come, in seconds."""
    if not cloud.settings.enforce_network:
        return []
    return [(min(course["execute"] + _PATIENCE_SECONDS, course["half-way"]), PATIENCE)]


def _at_start(cloud: Cloud, run: Record, _job: Record, subnet: Record) -> Iterator[Obstacle]:
    nodes = nodes_of_run(cloud, run)
    taken = private_ips(cloud, subnet)
    mine = sum(each.holder.id == run.id for each in taken)
    if mine < nodes:
        yield Obstacle(
            f"subnet {subnet.id} has not enough private IPs: each of {nodes} node(s) needs "
            f"one, and others have {len(taken) - mine} of {len(usable_addresses(subnet))}"
        )
    if why := reach.no_route_to_services(cloud, subnet, run.private["region"]):
        yield Obstacle(f"the job's artifact and its buckets can't be fetched: {why}")


def _at_execution(cloud: Cloud, run: Record, job: Record, subnet: Record) -> Iterator[Obstacle]:
    if why := reach.no_route_out(cloud, subnet) or reach.closed_outwards(cloud, subnet):
        for what, line in _fetched(run_acts.environment(run, job)):
            yield Obstacle(f"{what} can't be reached: {why}", line)
    if why := reach.closed_to_services(cloud, subnet, run.private["region"]):
        yield Obstacle(f"Oracle's services can't be reached: {why}")


def _fetched(variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What is fetched from outside of OCI, in the order of ADS's driver: code, packages, and what
    the command fetches; with what is said where that fails."""
    code = variables.get("OCI__RUNTIME_URI", "")
    if host := _host_outside(code):
        yield (
            host,
            f"fatal: unable to access '{code}': Failed to connect to {host} port 443: "
            "Connection timed out",
        )
    packages = variables.get("OCI__PIP_PKG") or variables.get("OCI__PIP_REQUIREMENTS")
    if packages:
        first = packages.replace("'", "").split()[0]
        yield (
            "the package index",
            f"ERROR: Could not find a version that satisfies the requirement {first} "
            "(from versions: none)",
        )
    if _FROM_HUB.search(variables.get("OCI__LAUNCH_CMD", "")):
        hub = variables.get("HF_ENDPOINT", _HUB)
        if host := _host_outside(hub):
            yield host, f"huggingface_hub.errors.LocalEntryNotFoundError: {hub} can't be reached"


def _host_outside(url: str) -> str:
    """The host of an address of the web, unless it is Oracle's own or a private one; '' else."""
    host = (urlsplit(url).hostname or "") if url.startswith("http") else ""
    if host == "localhost" or host.endswith((".oraclecloud.com", ".oraclevcn.com")):
        return ""
    try:
        return host if ip_address(host).is_global else ""
    except ValueError:
        return host


def _between_nodes(cloud: Cloud, run: Record, _job: Record, subnet: Record) -> Iterator[Obstacle]:
    if nodes_of_run(cloud, run) < 2:
        return
    if not reach.connects_within(cloud, subnet, _RENDEZVOUS):
        yield Obstacle(
            f"the nodes could not meet: no node reached another on port {_RENDEZVOUS[0]}",
            "torch.distributed.DistNetworkError: The client socket has timed out after 600000ms "
            f"while trying to connect to node 0, port {_RENDEZVOUS[0]}",
        )
    low, high = reach.EPHEMERAL
    if not reach.connects_within(cloud, subnet, reach.EPHEMERAL):
        yield Obstacle(
            f"NCCL timed out: no node reached another on ports {low}-{high}",
            "torch.distributed.DistBackendError: NCCL error: Connection timed out between node 0 "
            f"and node 1, on one of ports {low}-{high}",
        )
