"""The subnet of the jobs: that it is there, what its rules let through, and its addresses."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ocid
from ...auth import full_region
from ...errors import RefusedError
from ..check import AGAIN, Finding, failed, passed, warned
from ..network_rules import EPHEMERAL, RENDEZVOUS, Coverage, Hole, outside, within
from ..networks import JOBS, Place, client, listed, places, shown
from ..subject import Subject

_LIVE = "AVAILABLE"
_NOT_FOUND = 404
# OCI keeps the first two addresses of a subnet and the last.
# Source: OCI documentation, "Overview of VCNs and Subnets".
_KEPT = 3
_LONGEST_PREFIX = 30
OWN_NETWORK = "the jobs have Data Science's own network: no definition names a subnet"


class Subnet:
    """Whether the subnets of the definitions are there, in the pipeline's region, and private."""

    name = "subnet"
    question = "Is the subnet of the jobs there?"
    offline = False
    after = ("compartment",)
    steps = JOBS

    def look(self, subject: Subject) -> list[Finding]:
        found = [_subnet(subject, place) for place in places(subject)]
        return found or [passed(OWN_NETWORK)]


class SecurityList:
    """Whether the nodes of a job reach each other, and the services that each of them asks.

    Network security groups have no say: a job names a subnet and nothing else.
    """

    name = "security-list"
    question = "Do the subnet's security lists let through what torchrun, NCCL and HTTPS need?"
    offline = False
    after = ("subnet",)
    steps = JOBS

    def look(self, subject: Subject) -> list[Finding]:
        found = [finding for place in places(subject) for finding in _rules(place)]
        return found or [passed(OWN_NETWORK)]


class Addresses:
    """Whether the subnet has an address for each node of the largest job."""

    name = "addresses"
    question = "Has the subnet an address for each node?"
    offline = False
    after = ("subnet",)
    steps = JOBS

    def look(self, subject: Subject) -> list[Finding]:
        found = [_addresses(place) for place in places(subject)]
        return found or [passed(OWN_NETWORK)]


def _subnet(subject: Subject, place: Place) -> Finding:
    wanted, region = full_region(subject.pipeline.region), full_region(ocid.region(place.subnet_id))
    if region and region != wanted:
        return failed(
            f"{place.subnet_id}, of {place.names}, is in {region}; the pipeline is in {wanted}",
            f"Set network.subnet_id in the tenancy file to a subnet in {wanted}; then {AGAIN}.",
        )
    try:
        state = str(place.subnet.lifecycle_state)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        return _missing(subject, place, error)
    if state != _LIVE:
        return failed(f"{place.title}, is {state}, not {_LIVE}", _another(subject))
    if not place.subnet.prohibit_public_ip_on_vnic:
        return warned(
            f"{place.title}, is public: it allows public addresses, which no job needs",
            "Set network.subnet_id in the tenancy file to a private subnet, or leave it out for "
            f"one of its own; then {AGAIN}.",
        )
    return passed(f"{place.title}, is {_LIVE} and private")


def _missing(subject: Subject, place: Place, error: RefusedError) -> Finding:
    """OCI answers 'not there' and 'not allowed' alike. Who may list subnets may read them too, but
    for those of another compartment; who may neither is told so by the check of the policies.

    Raises *error* where the lists are refused as well.
    """
    compartment = subject.pipeline.compartment_id
    try:
        subject.get("list the subnets", client(subject).list_subnets, compartment)
    except RefusedError:
        raise error from None
    return failed(
        f"OCI has no {place.subnet_id}, which {place.names} name, or you may not read it where "
        "it is",
        _another(subject),
    )


def _another(subject: Subject) -> str:
    return (
        f"If the stack {subject.pipeline.tenancy}-network made it, deploy that again; or set "
        "network.subnet_id in the tenancy file to a subnet that is there (and "
        "network.subnet_compartment_ocid to its compartment); then emit the definitions anew."
    )


def _rules(place: Place) -> Iterator[Finding]:
    rules = place.rules()
    found = list(outside(rules, services=not place.wanted))
    # What lets out to anywhere lets out to the services too.
    if found and place.wanted and found[0].coverage is Coverage.PART:
        found += outside(rules, services=True)
    if place.several:
        for ports in (RENDEZVOUS, EPHEMERAL):
            found += within(rules, place.cidr, ports)
    found = list(dict.fromkeys(found))
    closed = [hole for hole in found if hole.coverage is Coverage.NONE]
    partly = [hole for hole in found if hole.coverage is Coverage.PART]
    if closed:
        said = f"the security lists of {place.title}, are closed to {_purposes(place, closed)}"
        yield failed(said, _add(place, closed))
    for hole in partly:
        yield warned(f"{place.title}: {_only_part(place, hole)}", _add(place, [hole]))
    if not found:
        nodes = "between the nodes and " if place.several else ""
        yield passed(f"{place.title}, is open {nodes}to the outside by HTTPS")


def _purposes(place: Place, found: list[Hole]) -> str:
    return listed(dict.fromkeys(_purpose(place, hole) for hole in found))


def _purpose(place: Place, hole: Hole) -> str:
    flow = hole.flow
    ports = flow.source if flow.answers else flow.destination
    answers = "the answers (a stateless rule keeps no connection in mind) of " * flow.answers
    if flow.services:
        return f"{answers}HTTPS (TCP 443) to Oracle's services, which every job asks"
    if flow.peer != place.cidr:
        return f"{answers}HTTPS (TCP 443) to the outside ({place.wanted})"
    what = "torchrun's rendezvous" if ports == RENDEZVOUS else "NCCL, Gloo and torch's store"
    jobs = ", ".join(place.several)
    return f"{answers}{what} between the nodes of {jobs} ({flow.direction}, TCP {ports})"


def _only_part(place: Place, hole: Hole) -> str:
    """What a person has to know who has narrowed the rules on purpose."""
    if hole.flow.peer == place.cidr:
        return (
            f"only some of the ports {EPHEMERAL} are open between the nodes of "
            f"{', '.join(place.several)} ({hole.flow.direction}), which is enough only where "
            "net.ipv4.ip_local_port_range of the nodes is no wider"
        )
    what = "Oracle's services" if hole.flow.services else f"the outside ({place.wanted})"
    return f"the security lists let HTTPS out to only some addresses of {what}"


def _add(place: Place, found: list[Hole]) -> str:
    """The rules that are missing, and where they belong."""
    label = place.every_service().cidr_block
    rules = "; ".join(dict.fromkeys(hole.flow.rule(label) for hole in found))
    first = place.lists()[0] if place.subnet.security_list_ids else None
    where = f"the security list {shown(first)}" if first else f"a security list of {place.title}"
    tenancy = place.subject.pipeline.tenancy
    return (
        f"Add to {where}: {rules}. Where the stack {tenancy}-network made it, deploying that "
        "again does so, with network.security: open-within-subnet or strict."
    )


def _addresses(place: Place) -> Finding:
    there = place.cidr.num_addresses - _KEPT
    taken, nodes = place.taken(), place.nodes
    free = max(there - taken, 0)
    if free >= nodes:
        return passed(f"{place.title}, has {free} free addresses; the largest job has {nodes}")
    return failed(
        f"{place.title}, has {free} free addresses of {there}, and {_largest(place)} needs {nodes}",
        _room(place, taken, nodes),
    )


def _largest(place: Place) -> str:
    return next(job.name for job in place.jobs if job.replicas == place.nodes)


def _room(place: Place, taken: int, nodes: int) -> str:
    prefix = _LONGEST_PREFIX
    while 2 ** (32 - prefix) - _KEPT < taken + nodes:
        prefix -= 1
    larger = place.cidr.supernet(new_prefix=min(prefix, place.cidr.prefixlen))
    end = (
        "" if not taken else
        "End what holds addresses there (oci network private-ip list --subnet-id "
        f"{place.subnet_id} --all lists it), or make room: "
    )  # fmt: skip
    return (
        f"{end}{'s' if end else 'S'}et network.subnet_cidr in the tenancy file to {larger} or "
        "larger and deploy; of a subnet that is not the stack's, set its CIDR block in the console."
    )
