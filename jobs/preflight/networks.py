"""The subnets that a pipeline's definitions name, and what stands around them in OCI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

from ..definitions import Definition
from ..errors import attempting
from ..record import Entry
from .fetching import fetched
from .network_rules import EVERY_SERVICE, Rules, rules_of
from .patience import every_page
from .subject import Subject

JOBS = ("stage", "finetune", "merge")
"""The steps that run in a subnet; a deployment has the service's own network."""


@dataclass(frozen=True)
class Place:
    """A subnet, and what is still to be submitted to it; *jobs* may be fallbacks."""

    subject: Subject
    subnet_id: str
    jobs: tuple[Definition, ...]

    @property
    def nodes(self) -> int:
        """Those of the largest job: the steps run one after another."""
        return max(job.replicas for job in self.jobs)

    @property
    def several(self) -> list[str]:
        """The jobs of more than one node."""
        return [job.name for job in self.jobs if job.replicas > 1]

    @property
    def wanted(self) -> str:
        """Who fetches what from outside of OCI, for a reader; '' if nobody does."""
        found = ((job.name, fetched(job)) for job in self.jobs)
        told = [f"{name} fetches from {' and '.join(hosts)}" for name, hosts in found if hosts]
        return "; ".join(told)

    @property
    def names(self) -> str:
        return ", ".join(job.name for job in self.jobs)

    @cached_property
    def subnet(self) -> Any:
        """Raises RefusedError and UnreachableError, as all that asks here."""
        return self._get("subnet", self.subnet_id)

    @property
    def cidr(self) -> IPv4Network:
        return IPv4Network(self.subnet.cidr_block)

    @property
    def title(self) -> str:
        """The subnet for a reader."""
        return f"subnet {shown(self.subnet)}, {self.subnet.cidr_block}"

    def lists(self) -> list[Any]:
        """The subnet's security lists."""
        return [self._get("security_list", each) for each in self.subnet.security_list_ids]

    def rules(self) -> Rules:
        return rules_of(self.lists())

    def table(self) -> Any:
        """The subnet's route table."""
        return self._get("route_table", self.subnet.route_table_id)

    def gateway(self, kind: str, identifier: str) -> Any:
        """*kind* is that of the SDK: ``nat_gateway``."""
        return self._get(kind, identifier)

    def services(self) -> dict[str, Any]:
        """Oracle's services of the region, by their OCIDs."""
        network = client(self.subject)
        found = self.subject.get("list Oracle's services", network.list_services)
        return {each.id: each for each in found}

    def every_service(self) -> Any:
        """All of them together, as routes and rules name them."""
        every = self.services().values()
        return next(each for each in every if each.cidr_block.startswith(EVERY_SERVICE))

    def taken(self) -> int:
        """How many of the subnet's addresses others use: the pipeline's own job runs end before
        another step begins."""
        return max(self._used() - sum(each.replicas for each in self._own()), 0)

    def _own(self) -> Iterator[Entry]:
        """The pipeline's job runs that are under way in this subnet."""
        for entry in self.subject.under_way:
            job = self.subject.definitions.get(entry.definition.removesuffix(".yaml"))
            if job is not None and job.infrastructure.get("subnetId") == self.subnet_id:
                yield entry

    def _used(self) -> int:
        def ask() -> int:
            with attempting(f"list the private IPs of {self.subnet_id}"):
                network = client(self.subject)
                found = every_page(network.list_private_ips, subnet_id=self.subnet_id)
                return len(found.data)

        return self.subject.once(f"private IPs of {self.subnet_id}", ask)

    def _get(self, kind: str, identifier: str) -> Any:
        what = f"read the {kind.replace('_', ' ')} {identifier}"
        return self.subject.get(what, getattr(client(self.subject), f"get_{kind}"), identifier)


def places(subject: Subject) -> list[Place]:
    """The subnets that jobs which are still to run name, the first choice's first."""
    found: dict[str, list[Definition]] = {}
    for step in subject.pipeline:
        if step.name not in JOBS:
            continue
        for job in subject.of_step(step.name):
            if subnet := str(job.infrastructure.get("subnetId") or ""):
                found.setdefault(subnet, []).append(job)
    return [Place(subject, subnet, tuple(jobs)) for subnet, jobs in found.items()]


def client(subject: Subject) -> Any:
    from oci.core import VirtualNetworkClient

    return subject.client(VirtualNetworkClient)


def shown(resource: Any) -> str:
    """Its name and its OCID."""
    return f"'{resource.display_name}' ({resource.id})"


def listed(things: Iterable[str]) -> str:
    """For a reader: ``a; and b``."""
    return "; and ".join(things)
