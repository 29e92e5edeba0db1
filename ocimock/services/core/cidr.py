"""CIDR blocks as networking takes them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from ...wire.errors import InvalidParameter

# A VCN and a subnet may be this large and this small.
# Source: OCI documentation, "Overview of VCNs and Subnets".
_WIDEST, _NARROWEST = 16, 30


def network(value: str, where: str) -> IPv4Network:
    """*value* as the CIDR block of a VCN or subnet.

    :raises InvalidParameter: not an IPv4 CIDR, host bits set, or too large or small.
    """
    found = any_network(value, where)
    if not isinstance(found, IPv4Network):
        raise InvalidParameter(f"{where}: '{value}' is not an IPv4 CIDR block")
    if not _WIDEST <= found.prefixlen <= _NARROWEST:
        raise InvalidParameter(
            f"{where}: the requested CIDR {value} is invalid: "
            f"its prefix must be from /{_WIDEST} to /{_NARROWEST}"
        )
    return found


def any_network(value: str, where: str) -> IPv4Network | IPv6Network:
    """*value* as any CIDR block, as rules take it.

    :raises InvalidParameter: not a CIDR block, or host bits set.
    """
    if "/" not in value:
        raise InvalidParameter(f"{where}: the requested CIDR {value} is invalid: it has no prefix")
    try:
        return ip_network(value)
    except ValueError as fault:
        raise InvalidParameter(f"{where}: the requested CIDR {value} is invalid: {fault}") from None


def refuse_overlap(wanted: IPv4Network, others: Iterable[tuple[str, str]], where: str) -> None:
    """:raises InvalidParameter: *wanted* overlaps one of *others* (holder, CIDR)."""
    for holder, cidr in others:
        if wanted.overlaps(IPv4Network(cidr)):
            raise InvalidParameter(
                f"{where}: the requested CIDR {wanted} is invalid: it overlaps with CIDR {cidr} "
                f"of {holder}"
            )
