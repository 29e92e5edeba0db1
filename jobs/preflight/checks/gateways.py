"""The ways out of the jobs' subnet: to what they fetch, and to Oracle's services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from ...errors import RefusedError
from ..check import Finding, State, passed, warned
from ..network_rules import ANYWHERE
from ..networks import JOBS, Place, client, places, shown
from ..subject import Subject
from .network import OWN_NETWORK

_SERVICES = "SERVICE_CIDR_BLOCK"
_NAT, _INTERNET = "natgateway", "internetgateway"
# What else a route may lead to, by the type in its OCID.
_OTHERS = {
    "drg": "a dynamic routing gateway",
    "privateip": "a private address, of a firewall perhaps",
    "localpeeringgateway": "a local peering gateway",
}
# What every job asks of the region's services.
_ASKED = "its artifact, its bucket, its log and, in the staging, the vault"


class Gateways:
    """Whether routes lead out of the subnet, to gateways that let traffic through."""

    name = "gateways"
    question = "Do routes and gateways lead to what the jobs fetch?"
    offline = False
    after = ("subnet",)
    steps = JOBS

    def look(self, subject: Subject) -> list[Finding]:
        found = [finding for place in places(subject) for finding in _ways(place)]
        return found or [passed(OWN_NETWORK)]


@dataclass(frozen=True)
class _Way:
    """How far a route leads; *said* has no end mark."""

    state: State
    said: str
    remedy: str = ""

    @property
    def leads(self) -> bool:
        return self.state is not State.FAIL


def _ways(place: Place) -> Iterator[Finding]:
    internet = _internet(place)
    if place.wanted:
        yield Finding(internet.state, f"{internet.said} ({place.wanted})", internet.remedy)
    services = _services(place)
    if services.leads or not internet.leads:
        yield Finding(services.state, services.said, services.remedy)
    else:
        yield warned(
            f"{services.said}; they are asked over their public addresses instead, which works "
            "where nothing on that way stops it",
            services.remedy,
        )


def _internet(place: Place) -> _Way:
    """The way to any public address."""
    routes = [rule for rule in place.table().route_rules if _network(rule) is not None]
    default = next((rule for rule in routes if _network(rule) == ANYWHERE), None)
    if default is not None:
        return _through(place, default.network_entity_id)
    public = [rule for rule in routes if not _is_private(rule)]
    where = f"the route table {shown(place.table())} of {place.title},"
    add = f"Add to the route table {shown(place.table())} a rule: {_to_nat(place)}."
    if public:
        some = ", ".join(str(_network(rule)) for rule in public)
        return _Way(State.WARN, f"{where} leads out to {some} only", add)
    return _Way(State.FAIL, f"{where} has no route to {ANYWHERE} through a NAT gateway", add)


def _through(place: Place, identifier: str) -> _Way:
    kind = _kind(identifier)
    if kind == _NAT:
        return _nat(place.gateway("nat_gateway", identifier))
    if kind == _INTERNET:
        return _internet_gateway(place, place.gateway("internet_gateway", identifier))
    what = _OTHERS.get(kind, f"a {kind}")
    return _Way(
        State.WARN,
        f"the way out of {place.title}, goes through {what} ({identifier}): whether that lets out "
        "is not known here",
        "Ask who looks after that network whether HTTPS gets out; else add a NAT gateway.",
    )


def _nat(gateway: Any) -> _Way:
    if gateway.block_traffic:
        return _Way(
            State.FAIL,
            f"the NAT gateway {shown(gateway)} blocks all traffic",
            "Let it through: oci network nat-gateway update --nat-gateway-id "
            f"{gateway.id} --block-traffic false",
        )
    return _Way(State.PASS, f"out through the NAT gateway {shown(gateway)}")


def _internet_gateway(place: Place, gateway: Any) -> _Way:
    """It translates public addresses of nodes, and jobs have none."""
    remedy = (
        f"In the route table {shown(place.table())} change the rule for {ANYWHERE}: "
        f"{_to_nat(place)}."
    )
    name = f"the internet gateway {shown(gateway)}"
    if not gateway.is_enabled:
        return _Way(State.FAIL, f"{name} is disabled", remedy)
    if place.subnet.prohibit_public_ip_on_vnic:
        return _Way(
            State.FAIL,
            f"{name} serves public addresses only, and {place.title}, allows none",
            remedy,
        )
    return _Way(
        State.WARN, f"{name} serves public addresses only: whether nodes get one is not known here",
        remedy,
    )  # fmt: skip


def _services(place: Place) -> _Way:
    """The way to Oracle's services through a service gateway."""
    every = place.every_service()
    route = next((r for r in place.table().route_rules if r.destination_type == _SERVICES), None)
    table = shown(place.table())
    wanted = f"destination {every.cidr_block} (service) to the service gateway"
    if route is None:
        return _Way(
            State.FAIL,
            f"the route table {table} of {place.title}, has no route to a service gateway, for "
            f"{_ASKED}",
            f"Give the VCN {place.subnet.vcn_id} a service gateway with '{every.name}' if it has "
            f"none, and add to the route table {table} a rule: {wanted}.",
        )
    gateway = place.gateway("service_gateway", route.network_entity_id)
    if gateway.block_traffic:
        return _Way(
            State.FAIL,
            f"the service gateway {shown(gateway)} blocks all traffic",
            "Let it through: oci network service-gateway update --service-gateway-id "
            f"{gateway.id} --block-traffic false",
        )
    served = {each.service_id for each in gateway.services}
    if every.id in served and route.destination == every.cidr_block:
        return _Way(State.PASS, f"to Oracle's services through {shown(gateway)}")
    return _Way(
        State.FAIL,
        f"the service gateway {shown(gateway)} leads to {route.destination} only: not to Data "
        "Science, Logging and the vault",
        f"Give it the service '{every.name}' ({every.id}) in place of what it has, and change the "
        f"rule in the route table {table}: {wanted}.",
    )


def _to_nat(place: Place) -> str:
    """The rule that leads out; it names a NAT gateway that the VCN has already."""
    subnet = place.subnet
    rule = f"destination {ANYWHERE} to the NAT gateway"
    network = client(place.subject)
    try:
        found = place.subject.get(
            f"list the NAT gateways of {subnet.vcn_id}",
            network.list_nat_gateways,
            subnet.compartment_id,
            vcn_id=subnet.vcn_id,
        )
    except RefusedError:
        return f"{rule} of the VCN {subnet.vcn_id}"
    there = next(iter(found), None)
    return f"{rule} {shown(there)}" if there else f"{rule} that you make in the VCN {subnet.vcn_id}"


def _network(rule: Any) -> IPv4Network | None:
    """The IPv4 destination of a route; None of services and of IPv6."""
    if rule.destination_type == _SERVICES:
        return None
    found = ip_network(rule.destination or rule.cidr_block, strict=False)
    return found if isinstance(found, IPv4Network) else None


def _is_private(rule: Any) -> bool:
    network = _network(rule)
    return network is None or network.is_private


def _kind(identifier: str) -> str:
    return identifier.split(".")[1] if identifier.count(".") else identifier
