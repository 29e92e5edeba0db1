"""Subnets."""

from __future__ import annotations

from typing import Any

from ...places import availability_domains
from ...resources import NETWORK_LIFECYCLE, Kind, crud, require
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from .base import CRUD, SECONDS, SERVICE, check_route_table, neighbour
from .cidr import network, refuse_overlap
from .vcns import check_dns_label
from .vnics import refuse_attached

# Source: OCI documentation, "Security Lists": at most five for a subnet.
_MOST_SECURITY_LISTS = 5

SUBNET = Kind(
    name="subnet",
    model="Subnet",
    path_id="subnetId",
    noun="subnet",
    plural="subnets",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
)


def _create(call: Call, record: Record) -> None:
    data = record.data
    vcn = require(call.cloud, "vcn", data["vcnId"])
    data.setdefault("routeTableId", vcn.data["defaultRouteTableId"])
    data.setdefault("securityListIds", [vcn.data["defaultSecurityListId"]])
    data.setdefault("dhcpOptionsId", vcn.data["defaultDhcpOptionsId"])
    _settle_publicity(data)
    _check_domain(call, data)
    _name(call, record, vcn)
    _check(call, record)


def _check(call: Call, record: Record) -> None:
    data = record.data
    vcn = require(call.cloud, "vcn", data["vcnId"])
    _place(call, record, vcn)
    check_route_table(call.cloud, data)
    neighbour(call.cloud, "dhcpoptions", data["dhcpOptionsId"], vcn.id, "dhcpOptionsId")
    lists = data["securityListIds"]
    if len(lists) > _MOST_SECURITY_LISTS:
        raise InvalidParameter(
            f"securityListIds: {len(lists)} given, {_MOST_SECURITY_LISTS} are allowed"
        )
    for number, identifier in enumerate(lists):
        where = f"securityListIds[{number}]"
        neighbour(call.cloud, "securitylist", identifier, vcn.id, where)


def _place(call: Call, record: Record, vcn: Record) -> None:
    """Check the subnet's CIDR block against its VCN and neighbours, and give it its router."""
    data = record.data
    if "cidrBlock" not in data and data.get("ipv4CidrBlocks"):
        data["cidrBlock"] = data["ipv4CidrBlocks"][0]
    if "cidrBlock" not in data:
        raise InvalidParameter("cidrBlock must be given")
    wanted = network(data["cidrBlock"], "cidrBlock")
    if not any(wanted.subnet_of(network(cidr, "cidrBlocks")) for cidr in vcn.data["cidrBlocks"]):
        raise InvalidParameter(
            f"cidrBlock: the requested CIDR {wanted} is invalid: it must be within the CIDR "
            f"blocks of VCN {vcn.id}: {', '.join(vcn.data['cidrBlocks'])}"
        )
    others = [
        (other.id, other.data["cidrBlock"])
        for other in call.cloud.store.live(SUBNET.name)
        if other.id != record.id and other.data["vcnId"] == vcn.id
    ]
    refuse_overlap(wanted, others, "cidrBlock")
    data["ipv4CidrBlocks"] = [str(wanted)]
    data["virtualRouterIp"] = str(wanted[1])
    data.setdefault("virtualRouterMac", _mac(record.number))


def _settle_publicity(data: dict[str, Any]) -> None:
    """The two fields say the same of an IPv4 subnet; one stands for both."""
    ingress = data.get("prohibitInternetIngress")
    addresses = data.get("prohibitPublicIpOnVnic")
    if ingress is not None and addresses is not None and ingress != addresses:
        raise InvalidParameter(
            "prohibitInternetIngress and prohibitPublicIpOnVnic must be the same"
        )
    private = bool(ingress or addresses)
    data["prohibitInternetIngress"] = data["prohibitPublicIpOnVnic"] = private


def _check_domain(call: Call, data: dict[str, Any]) -> None:
    domain = data.get("availabilityDomain")
    if domain is not None and domain not in availability_domains(call.region):
        raise InvalidParameter(
            f"availabilityDomain: '{domain}' is not one of "
            f"{', '.join(availability_domains(call.region))}"
        )


def _name(call: Call, record: Record, vcn: Record) -> None:
    label = record.data.get("dnsLabel")
    check_dns_label(label)
    if label is None:
        return
    if "vcnDomainName" not in vcn.data:
        raise InvalidParameter(f"dnsLabel: VCN {vcn.id} has none, so its subnets can't have one")
    for other in call.cloud.store.live(SUBNET.name):
        if other.id == record.id or other.data["vcnId"] != vcn.id:
            continue
        if other.data.get("dnsLabel", "").lower() == label.lower():
            raise InvalidParameter(f"dnsLabel: '{label}' is used by subnet {other.id}")
    record.data["subnetDomainName"] = f"{label.lower()}.{vcn.data['vcnDomainName']}"


def _mac(number: int) -> str:
    """A router's address under Oracle's own prefix 00:00:17."""
    return "00:00:17:" + ":".join(f"{byte:02X}" for byte in number.to_bytes(3, "big"))


def _refuse_attached(call: Call, record: Record) -> None:
    refuse_attached(call.cloud, record)


crud(SERVICE, SUBNET, on_create=_create, on_update=_check, on_delete=_refuse_attached, only=CRUD)
