"""Which connections security rules let through: no question is asked here.

A connection goes out by the egress rules of who opens it and comes in by the ingress rules of who
listens. Its answers need no rule, unless a stateless rule matches it: that one counts before any
stateful one, nothing remembers the connection, and the answers need rules of their own.
Source: OCI documentation, "Security Rules", "Stateful Versus Stateless Rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, collapse_addresses, ip_network
from itertools import pairwise, product
from typing import Any

_TCP = ("6", "all")
_SERVICES = "SERVICE_CIDR_BLOCK"
# Begins the label of all of a region's services; the other label is of Object Storage alone.
EVERY_SERVICE = "all-"
ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Ports:
    """From *low* to *high*, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    def holds(self, other: Ports) -> bool:
        return self.low <= other.low and other.high <= self.high


ALL_PORTS = Ports(1, 65535)
HTTPS = Ports(443, 443)
RENDEZVOUS = Ports(29400, 29400)
"""torchrun's c10d rendezvous: a constant of the driver that ADS puts into a job."""
EPHEMERAL = Ports(32768, 60999)
"""What connections start from, and NCCL, Gloo and torch's store listen on: Linux's default of
``net.ipv4.ip_local_port_range``."""


@dataclass(frozen=True)
class Rule:
    """A rule that is about TCP. It is of a *network*, or of the services of a *label*."""

    network: IPv4Network | None
    label: str
    source: Ports
    destination: Ports
    stateless: bool


@dataclass(frozen=True)
class Rules:
    """All rules of a subnet: those of one security list add to those of another."""

    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]

    def of(self, direction: str) -> tuple[Rule, ...]:
        return self.ingress if direction == "ingress" else self.egress


class Coverage(Enum):
    NONE = "none"
    PART = "part"
    ALL = "all"


@dataclass(frozen=True)
class Flow:
    """Packets in one direction: *peer* is the far end; ``ANYWHERE`` with *services* is Oracle's
    services of the region."""

    direction: str
    peer: IPv4Network
    source: Ports
    destination: Ports
    services: bool = False
    answers: bool = False

    def rule(self, label: str) -> str:
        """The rule that lets it through, for who adds it; *label* is that of all services."""
        end = "source" if self.direction == "ingress" else "destination"
        far = label if self.services else str(self.peer)
        ports = (
            f"source port {self.source}" if self.answers else f"destination port {self.destination}"
        )
        return f"{self.direction}, TCP, {end} {far}, {ports}"

    @property
    def back(self) -> Flow:
        """The answers to it."""
        direction = "egress" if self.direction == "ingress" else "ingress"
        return Flow(
            direction, self.peer, self.destination, self.source, self.services, answers=True
        )


@dataclass(frozen=True)
class Hole:
    """A flow that rules do not let through, or only in part."""

    flow: Flow
    coverage: Coverage


def rules_of(lists: Iterable[Any]) -> Rules:
    """The TCP rules of security lists, as the SDK shows them."""
    lists = list(lists)
    return Rules(
        tuple(
            rule
            for each in lists
            for given in each.ingress_security_rules or ()
            for rule in _rule(given, given.source, given.source_type)
        ),
        tuple(
            rule
            for each in lists
            for given in each.egress_security_rules or ()
            for rule in _rule(given, given.destination, given.destination_type)
        ),
    )


def within(rules: Rules, subnet: IPv4Network, ports: Ports) -> list[Hole]:
    """What is lacking for a node of *subnet* to reach another there on *ports*: it goes out by the
    rules by which it comes in."""
    flows = (Flow(way, subnet, EPHEMERAL, ports) for way in ("egress", "ingress"))
    return list(dict.fromkeys(hole for flow in flows for hole in holes(rules, flow)))


def outside(rules: Rules, *, services: bool) -> list[Hole]:
    """What is lacking for HTTPS to anywhere, or to Oracle's *services* only."""
    return holes(rules, Flow("egress", ANYWHERE, EPHEMERAL, HTTPS, services=services))


def holes(rules: Rules, flow: Flow) -> list[Hole]:
    """The flow itself where it is not let through, else its answers where those are not."""
    there = rules.of(flow.direction)
    found = coverage(there, flow)
    if found is not Coverage.ALL:
        return [Hole(flow, found)]
    if flow.answers or not any(rule.stateless for rule in _about(there, flow)):
        return []
    return holes(rules, flow.back)


def coverage(rules: Sequence[Rule], flow: Flow) -> Coverage:
    """How much of *flow* the rules let through."""
    about = list(_about(rules, flow))
    cells = product(
        _cells(flow.source, [rule.source for rule in about]),
        _cells(flow.destination, [rule.destination for rule in about]),
    )
    found = {_cell(about, flow, source, destination) for source, destination in cells}
    return found.pop() if len(found) == 1 else Coverage.PART


def _cell(rules: Iterable[Rule], flow: Flow, source: Ports, destination: Ports) -> Coverage:
    matching = [
        rule for rule in rules if rule.source.holds(source) and rule.destination.holds(destination)
    ]
    labels = [rule.label for rule in matching if rule.label]
    if flow.services and any(label.startswith(EVERY_SERVICE) for label in labels):
        return Coverage.ALL
    networks = list(collapse_addresses(rule.network for rule in matching if rule.network))
    if any(flow.peer.subnet_of(network) for network in networks):
        return Coverage.ALL
    if flow.peer != ANYWHERE:  # of a subnet, part is as good as nothing: nodes may be in the rest
        return Coverage.NONE
    public = any(not network.is_private for network in networks)
    return Coverage.PART if public or (flow.services and labels) else Coverage.NONE


def _about(rules: Iterable[Rule], flow: Flow) -> Iterator[Rule]:
    """The rules that say something of *flow*, of part of it at least."""
    for rule in rules:
        meets = flow.services if rule.network is None else rule.network.overlaps(flow.peer)
        if meets and _meet(rule.source, flow.source) and _meet(rule.destination, flow.destination):
            yield rule


def _cells(wanted: Ports, ranges: Iterable[Ports]) -> list[Ports]:
    """*wanted*, cut wherever one of *ranges* begins or ends."""
    cuts = {wanted.low, wanted.high + 1}
    for each in ranges:
        cuts |= {cut for cut in (each.low, each.high + 1) if wanted.low < cut <= wanted.high}
    return [Ports(low, high - 1) for low, high in pairwise(sorted(cuts))]


def _meet(one: Ports, other: Ports) -> bool:
    return one.low <= other.high and other.low <= one.high


def _rule(given: Any, end: str, kind: str | None) -> Iterator[Rule]:
    if given.protocol not in _TCP:
        return
    network, label = None, ""
    if kind == _SERVICES:
        label = end
    else:
        block = ip_network(end, strict=False)
        if not isinstance(block, IPv4Network):
            return
        network = block
    options = given.tcp_options
    yield Rule(
        network,
        label,
        _ports(options.source_port_range if options else None),
        _ports(options.destination_port_range if options else None),
        bool(given.is_stateless),
    )


def _ports(given: Any) -> Ports:
    return Ports(given.min, given.max) if given else ALL_PORTS
