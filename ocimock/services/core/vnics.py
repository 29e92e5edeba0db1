"""Virtual network interfaces that other services' resources have in subnets, for as long as they
are up. The mock has no such resources themselves, only what holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...cloud import Cloud
from ...limits import is_counting
from ...store import Record
from ...wire.errors import Conflict

_RUN = "datasciencejobrun"
_ENDPOINT = "datascienceprivateendpoint"
# What may have an interface, under the name that a message shows.
_HOLDERS = {
    "datasciencenotebooksession": "notebook session",
    _RUN: "job run",
    "datasciencemodeldeployment": "model deployment",
    _ENDPOINT: "private endpoint",
}

Counter = Callable[[Cloud, Record], int]
_COUNTERS: dict[str, Counter] = {}


def counts_interfaces(kind: str) -> Callable[[Counter], Counter]:
    """Register how many interfaces a record of *kind* has in each of its subnets; one else."""

    def register(counter: Counter) -> Counter:
        _COUNTERS[kind] = counter
        return counter

    return register


def holders(cloud: Cloud, subnet: Record) -> Iterator[tuple[Record, int]]:
    """What is up and has interfaces in *subnet*, in the order in which it came, and how many."""
    found = [
        (holder, _COUNTERS[kind](cloud, holder) if kind in _COUNTERS else 1)
        for kind in _HOLDERS
        for holder in cloud.store.live(kind)
        if _is_up(holder) and subnet.id in _subnets(cloud, holder)
    ]
    return iter(sorted(found, key=lambda each: each[0].number))


def noun(holder: Record) -> str:
    """What *holder* is called in a message."""
    return _HOLDERS[holder.kind]


def refuse_attached(cloud: Cloud, subnet: Record) -> None:
    """:raises Conflict: something that is up has an interface in *subnet*."""
    for holder, _ in holders(cloud, subnet):
        # OCI's wording, but that it names the interface and not its holder.
        raise Conflict(
            f"The Subnet {subnet.id} references the VNIC of {noun(holder)} {holder.id}. You must "
            "remove the reference to proceed with this operation."
        )


def refuse_grouped(cloud: Cloud, group: Record) -> None:
    """:raises Conflict: the interface of a private endpoint is in the security group."""
    for endpoint in cloud.store.live(_ENDPOINT):
        if group.id in (endpoint.data.get("nsgIds") or ()):
            raise Conflict(f"{group.id} is in use by the VNIC of private endpoint {endpoint.id}")


def _is_up(holder: Record) -> bool:
    """An endpoint holds its interface for as long as it stands."""
    return holder.kind == _ENDPOINT or is_counting(holder)


def _subnets(cloud: Cloud, holder: Record) -> set[str]:
    found = set(_named(holder.data))
    if holder.kind == _RUN:
        job = cloud.store.find("datasciencejob", holder.data["jobId"])
        found |= set(_named(job.data.get("jobNodeConfigurationDetails"))) if job else set()
    return found


def _named(value: Any) -> Iterator[str]:
    """The subnets that a configuration names, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name == "subnetId" and item:
            yield item
        else:
            yield from _named(item)
