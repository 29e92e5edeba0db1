"""Virtual cloud networks."""

from __future__ import annotations

import re
from typing import Any

from ...limits import counts_in
from ...resources import (
    NETWORK_LIFECYCLE,
    Kind,
    add,
    create,
    crud,
    depart,
    get_settled,
)
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter, MissingParameter
from ...wire.message import Response
from .base import SECONDS, SERVICE
from .cidr import network, refuse_overlap
from .dhcp import DHCP_OPTIONS, default_options
from .route_tables import ROUTE_TABLE
from .security_lists import SECURITY_LIST, check, default_rules

VCN = Kind(
    name="vcn",
    model="Vcn",
    path_id="vcnId",
    noun="vcn",
    plural="vcns",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
)

counts_in(VCN.name)

_DNS_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9]{0,14}")
_CONTENTS = (
    "subnet",
    "natgateway",
    "internetgateway",
    "servicegateway",
    "localpeeringgateway",
    "drgattachment",
    "networksecuritygroup",
    "routetable",
    "securitylist",
    "dhcpoptions",
)
# What every VCN is born with, and goes with it.
_DEFAULTS = {kind.name: kind for kind in (ROUTE_TABLE, SECURITY_LIST, DHCP_OPTIONS)}


def check_dns_label(label: str | None) -> None:
    """:raises InvalidParameter: not a letter and up to 14 letters and digits."""
    if label is not None and not _DNS_LABEL.fullmatch(label):
        raise InvalidParameter(
            f"dnsLabel: '{label}' must begin with a letter and hold at most 15 letters and digits"
        )


@SERVICE.operation("create_vcn")
def _create(call: Call) -> Response:
    body = call.body()
    if "cidrBlock" in body and "cidrBlocks" in body:
        raise InvalidParameter("cidrBlock and cidrBlocks can't both be given")
    cidrs = body.get("cidrBlocks") or [body[name] for name in ("cidrBlock",) if name in body]
    if not cidrs:
        raise MissingParameter("cidrBlocks must name at least one CIDR block")
    for number, cidr in enumerate(cidrs):
        where = f"cidrBlocks[{number}]" if "cidrBlocks" in body else "cidrBlock"
        earlier = [("the same VCN", other) for other in cidrs[:number]]
        refuse_overlap(network(cidr, where), earlier, where)
    check_dns_label(body.get("dnsLabel"))
    return create(call, VCN, _furnish, cidrBlock=cidrs[0], cidrBlocks=list(cidrs))


def _furnish(call: Call, record: Record) -> None:
    """Give a fresh VCN its default route table, security list and DHCP options."""
    call.cloud.limits.claim(record, call.region, {"vcn-count": 1})
    label = record.data.get("dnsLabel")
    domain = f"{label.lower()}.oraclevcn.com" if label else None
    if domain:
        record.data["vcnDomainName"] = domain
    rules = default_rules(record.data["cidrBlocks"])
    record.data |= {
        "defaultRouteTableId": _default(call, record, ROUTE_TABLE, "Route Table", routeRules=[]),
        "defaultSecurityListId": _default(call, record, SECURITY_LIST, "Security List", **rules),
        "defaultDhcpOptionsId": _default(
            call, record, DHCP_OPTIONS, "DHCP Options", options=default_options(domain)
        ),
    }


def _default(call: Call, vcn: Record, kind: Kind, noun: str, **fields: Any) -> str:
    body = {
        "compartmentId": vcn.data["compartmentId"],
        "vcnId": vcn.id,
        "definedTags": vcn.data["definedTags"],
        "displayName": f"Default {noun} for {vcn.data['displayName']}",
        **fields,
    }
    made = add(call, kind, body, check if kind is SECURITY_LIST else None)
    made.private["default"] = True
    return made.id


@SERVICE.operation("delete_vcn")
def _delete(call: Call) -> Response:
    vcn = get_settled(call, VCN)
    inside = [
        record
        for kind in _CONTENTS
        for record in call.cloud.store.live_to_change(kind)
        if record.data["vcnId"] == vcn.id
    ]
    for record in inside:
        if not record.private.get("default"):
            raise Conflict(f"VCN {vcn.id} can't be deleted: {record.kind} {record.id} is in it")
    for record in inside:
        depart(call.cloud, _DEFAULTS[record.kind], record)
    depart(call.cloud, VCN, vcn)
    return Response(204)


@SERVICE.operation("add_vcn_cidr")
def _add_cidr(call: Call) -> Response:
    vcn = get_settled(call, VCN)
    cidr = call.body()["cidrBlock"]
    _refuse_used(network(cidr, "cidrBlock"), vcn, vcn.data["cidrBlocks"])
    vcn.data["cidrBlocks"].append(cidr)
    # No opc-work-request-id: Terraform's provider would poll it at a host that can't be overridden.
    return Response(200)


@SERVICE.operation("remove_vcn_cidr")
def _remove_cidr(call: Call) -> Response:
    vcn = get_settled(call, VCN)
    cidr = call.body()["cidrBlock"]
    _check_has(vcn, cidr, "cidrBlock")
    if len(vcn.data["cidrBlocks"]) == 1:
        raise InvalidParameter(f"cidrBlock: {cidr} is the VCN's only one")
    refuse_overlap(network(cidr, "cidrBlock"), _subnets(call, vcn), "cidrBlock")
    vcn.data["cidrBlocks"].remove(cidr)
    vcn.data["cidrBlock"] = vcn.data["cidrBlocks"][0]
    return Response(200)


@SERVICE.operation("modify_vcn_cidr")
def _modify_cidr(call: Call) -> Response:
    vcn = get_settled(call, VCN)
    body = call.body()
    old, new = body["originalCidrBlock"], body["newCidrBlock"]
    _check_has(vcn, old, "originalCidrBlock")
    wanted = network(new, "newCidrBlock")
    _refuse_used(wanted, vcn, [cidr for cidr in vcn.data["cidrBlocks"] if cidr != old])
    for subnet, cidr in _subnets(call, vcn):
        inside = network(cidr, "cidrBlock")
        if inside.subnet_of(network(old, "originalCidrBlock")) and not inside.subnet_of(wanted):
            raise InvalidParameter(f"newCidrBlock: {new} leaves out CIDR {cidr} of {subnet}")
    vcn.data["cidrBlocks"] = [new if cidr == old else cidr for cidr in vcn.data["cidrBlocks"]]
    vcn.data["cidrBlock"] = vcn.data["cidrBlocks"][0]
    return Response(200)


def _refuse_used(wanted: Any, vcn: Record, cidrs: list[str]) -> None:
    refuse_overlap(wanted, [(vcn.id, cidr) for cidr in cidrs], "cidrBlock")


def _check_has(vcn: Record, cidr: str, where: str) -> None:
    if cidr not in vcn.data["cidrBlocks"]:
        raise InvalidParameter(f"{where}: VCN {vcn.id} has no CIDR block {cidr}")


def _subnets(call: Call, vcn: Record) -> list[tuple[str, str]]:
    return [
        (subnet.id, subnet.data["cidrBlock"])
        for subnet in call.cloud.store.live("subnet")
        if subnet.data["vcnId"] == vcn.id
    ]


crud(SERVICE, VCN, only=("get", "list", "update", "move"))
