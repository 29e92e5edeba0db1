"""What the nodes in a subnet would reach, by its routes, gateways and security lists.

Nothing carries traffic here: a simulated job run asks before it goes on. What a DRG or a peering
leads to is not known, and taken to lead on.

Source: OCI documentation, "Security Rules" (which of stateful and stateless rules counts),
"NAT Gateway", "Internet Gateway" (it serves public addresses only), "Access to Oracle Services".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from ...cloud import Cloud
from ...store import Record
from .oracle_services import find_service, service_labels

HTTPS = 443
# From which a connection starts, and which NCCL and Gloo listen on: Linux's default of
# net.ipv4.ip_local_port_range.
EPHEMERAL = (32768, 60999)
_TCP, _ANY = "6", "all"
_ANYWHERE = IPv4Network("0.0.0.0/0")
_ALL_PORTS = (1, 65535)
_Ports = tuple[int, int]
_Rules = list[dict[str, Any]]


@dataclass(frozen=True)
class _Peer:
    """The far end of a connection: a network, or Oracle's services by their labels."""

    network: IPv4Network
    labels: frozenset[str] = frozenset()


def no_route_out(cloud: Cloud, subnet: Record) -> str:
    """Why no route of *subnet* leads out to 0.0.0.0/0; '' if one does."""
    for rule in _routes(cloud, subnet):
        if rule["destination"] == str(_ANYWHERE):
            return _stopped_at(cloud, subnet, rule["networkEntityId"])
    return f"subnet {subnet.id} has no route to {_ANYWHERE}"


def no_route_to_services(cloud: Cloud, subnet: Record, region: str) -> str:
    """Why no route leads to Oracle's services; '' if one does, through whichever gateway."""
    served = _served(cloud, subnet, region)
    every = _every_service(region)
    outwards = no_route_out(cloud, subnet)
    if every in served or not outwards:
        return ""
    there = f"; its service gateway leads to {', '.join(sorted(served))} only" if served else ""
    return f"{outwards}, nor one to {every}{there}"


def closed_outwards(cloud: Cloud, subnet: Record) -> str:
    """Why security lists let no HTTPS out to anywhere; '' if they do."""
    return _closed(cloud, subnet, _Peer(_ANYWHERE), str(_ANYWHERE))


def closed_to_services(cloud: Cloud, subnet: Record, region: str) -> str:
    """Why security lists let no HTTPS out to Oracle's services; '' if they do."""
    every = _every_service(region)
    return _closed(cloud, subnet, _Peer(_ANYWHERE, frozenset({every})), every)


def connects_within(cloud: Cloud, subnet: Record, ports: tuple[int, int]) -> bool:
    """Whether a node in *subnet* reaches another there on some of the TCP *ports*."""
    peer = _Peer(IPv4Network(subnet.data["cidrBlock"]))
    ingress, egress = _rules(cloud, subnet)
    return _connects(cloud, subnet, peer, ports) and _passes(
        ingress, egress, "source", peer, EPHEMERAL, ports
    )


def _closed(cloud: Cloud, subnet: Record, peer: _Peer, name: str) -> str:
    if _connects(cloud, subnet, peer, (HTTPS, HTTPS)):
        return ""
    return f"the security lists of {subnet.id} let no TCP out to {name}, port {HTTPS}"


def _every_service(region: str) -> str:
    return next(label for label in service_labels(region) if label.startswith("all-"))


def _connects(cloud: Cloud, subnet: Record, peer: _Peer, ports: _Ports) -> bool:
    """Whether connections to *ports* of *peer* leave *subnet*, and their answers come in."""
    ingress, egress = _rules(cloud, subnet)
    return _passes(egress, ingress, "destination", peer, EPHEMERAL, ports)


def _passes(
    there: _Rules, back: _Rules, end: str, peer: _Peer, source: _Ports, destination: _Ports
) -> bool:
    """Whether *there* lets a connection through, and *back* its answers where nothing tracks it:
    a stateless rule that matches counts before any stateful one."""
    matching = list(_matching(there, end, peer, source, destination))
    if not any(rule["isStateless"] for rule in matching):
        return bool(matching)
    other = "source" if end == "destination" else "destination"
    return any(_matching(back, other, peer, destination, source))


def _matching(
    rules: _Rules, end: str, peer: _Peer, source: _Ports, destination: _Ports
) -> Iterator[dict[str, Any]]:
    for rule in rules:
        options = rule.get("tcpOptions") or {}
        if (
            rule["protocol"] in (_TCP, _ANY)
            and _holds(rule, end, peer)
            and _overlap(options.get("sourcePortRange"), source)
            and _overlap(options.get("destinationPortRange"), destination)
        ):
            yield rule


def _holds(rule: dict[str, Any], end: str, peer: _Peer) -> bool:
    if rule[f"{end}Type"] == "SERVICE_CIDR_BLOCK":
        return rule[end] in peer.labels
    if rule[f"{end}Type"] != "CIDR_BLOCK":
        return False
    network = ip_network(rule[end])
    return isinstance(network, IPv4Network) and peer.network.subnet_of(network)


def _overlap(given: dict[str, int] | None, wanted: _Ports) -> bool:
    low, high = (given["min"], given["max"]) if given else _ALL_PORTS
    return low <= wanted[1] and wanted[0] <= high


def _rules(cloud: Cloud, subnet: Record) -> tuple[_Rules, _Rules]:
    """All ingress and all egress rules of a subnet's security lists."""
    lists = [cloud.store.find("securitylist", each) for each in subnet.data["securityListIds"]]
    found = [each.data for each in lists if each is not None]
    return (
        [rule for each in found for rule in each["ingressSecurityRules"]],
        [rule for each in found for rule in each["egressSecurityRules"]],
    )


def _routes(cloud: Cloud, subnet: Record) -> Iterable[dict[str, Any]]:
    table = cloud.store.find("routetable", subnet.data["routeTableId"])
    rules: list[dict[str, Any]] = table.data["routeRules"] if table else []
    return rules


def _stopped_at(cloud: Cloud, subnet: Record, gateway_id: str) -> str:
    """Why the gateway of a default route lets nothing out; '' if it does."""
    kind = gateway_id.split(".")[1]
    gateway = cloud.store.find(kind, gateway_id)
    if gateway is None or gateway.deleted:
        return f"{gateway_id} is no more"
    if kind == "natgateway" and gateway.data.get("blockTraffic"):
        return f"NAT gateway {gateway_id} blocks all traffic"
    if kind == "internetgateway":
        if not gateway.data.get("isEnabled", True):
            return f"internet gateway {gateway_id} is disabled"
        if subnet.data["prohibitPublicIpOnVnic"]:
            return f"internet gateway {gateway_id} serves no private address"
    return ""


def _served(cloud: Cloud, subnet: Record, region: str) -> set[str]:
    """The labels of Oracle's services to which a route and a gateway of *subnet* lead."""
    found: set[str] = set()
    for rule in _routes(cloud, subnet):
        gateway = cloud.store.find("servicegateway", rule["networkEntityId"])
        if gateway is None or gateway.deleted or gateway.data.get("blockTraffic"):
            continue
        for service in gateway.data["services"]:
            if find_service(region, service["serviceId"])["cidrBlock"] == rule["destination"]:
                found.add(rule["destination"])
    return found
