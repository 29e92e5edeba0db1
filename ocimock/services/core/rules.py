"""Security rules, as security lists and network security groups share them."""

from __future__ import annotations

from typing import Any

from ...wire.errors import InvalidParameter
from ...wire.numbers import whole
from .cidr import any_network

# Protocol numbers (IANA) whose rules may carry options, and the field of those.
_OPTIONS = {"6": "tcpOptions", "17": "udpOptions", "1": "icmpOptions", "58": "icmpOptions"}


def check_rule(
    rule: dict[str, Any],
    end: str,
    where: str,
    *,
    labels: list[str],
    groups: frozenset[str] = frozenset(),
) -> None:
    """Check a rule and fill in its defaults.

    :param end: ``source`` or ``destination``, the end that the rule is about.
    :param labels: the service CIDR labels of the region.
    :param groups: the OCIDs of network security groups that the end may name.
    :raises InvalidParameter: names the field.
    """
    rule.setdefault("isStateless", False)
    rule.setdefault(f"{end}Type", "CIDR_BLOCK")
    _check_protocol(rule, where)
    _check_end(rule, end, where, labels, groups)


def _check_end(
    rule: dict[str, Any], end: str, where: str, labels: list[str], groups: frozenset[str]
) -> None:
    value, type_ = rule.get(end), rule[f"{end}Type"]
    if not value:
        raise InvalidParameter(f"{where}.{end} must be given")
    if type_ == "CIDR_BLOCK":
        any_network(value, f"{where}.{end}")
        return
    allowed = labels if type_ == "SERVICE_CIDR_BLOCK" else groups
    if value not in allowed:
        raise InvalidParameter(f"{where}.{end}: '{value}' is not a {type_} that stands here")


def _check_protocol(rule: dict[str, Any], where: str) -> None:
    protocol = rule["protocol"]
    number = whole(protocol)
    if protocol != "all" and (number is None or number > 255):
        raise InvalidParameter(
            f"{where}.protocol: '{protocol}' is not allowed; it is 'all' or a protocol number "
            f"such as 6 (TCP), 17 (UDP) or 1 (ICMP)"
        )
    for field in sorted(set(_OPTIONS.values())):
        if field not in rule:
            continue
        if _OPTIONS.get(protocol) != field:
            raise InvalidParameter(f"{where}.{field} does not go with protocol {protocol}")
        for side in ("destinationPortRange", "sourcePortRange"):
            _check_ports(rule[field].get(side), f"{where}.{field}.{side}")


def _check_ports(ports: dict[str, int] | None, where: str) -> None:
    if ports is None:
        return
    if not 1 <= ports["min"] <= ports["max"] <= 65535:
        raise InvalidParameter(
            f"{where}: {ports['min']}-{ports['max']} is not a range of ports from 1 to 65535"
        )
