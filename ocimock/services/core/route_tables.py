"""Route tables."""

from __future__ import annotations

from typing import Any

from ...resources import NETWORK_LIFECYCLE, Kind, crud, require
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from .base import CRUD, SECONDS, SERVICE, neighbour
from .cidr import any_network
from .dhcp import refuse_default
from .oracle_services import service_labels

ROUTE_TABLE = Kind(
    name="routetable",
    model="RouteTable",
    path_id="rtId",
    noun="route_table",
    plural="route_tables",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
    children=(
        ("subnet", "routeTableId"),
        ("natgateway", "routeTableId"),
        ("internetgateway", "routeTableId"),
        ("servicegateway", "routeTableId"),
        ("localpeeringgateway", "routeTableId"),
        ("drgattachment", "routeTableId"),
    ),
)

_TARGETS = ("natgateway", "internetgateway", "servicegateway", "localpeeringgateway")


def _check(call: Call, record: Record) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(record.data["routeRules"]):
        where = f"routeRules[{number}]"
        _check_rule(call, record.data["vcnId"], rule, where)
        if rule["destination"] in seen:
            raise InvalidParameter(f"{where}.destination: {rule['destination']} has a rule already")
        seen.add(rule["destination"])


def _check_rule(call: Call, vcn_id: str, rule: dict[str, Any], where: str) -> None:
    # cidrBlock is the older spelling of a CIDR destination.
    rule.setdefault("destination", rule.get("cidrBlock"))
    rule.setdefault("destinationType", "CIDR_BLOCK")
    if not rule["destination"]:
        raise InvalidParameter(f"{where}.destination must be given")
    target = _target(call, vcn_id, rule["networkEntityId"], where)
    to_services = rule["destinationType"] == "SERVICE_CIDR_BLOCK"
    if to_services != (target.kind == "servicegateway"):
        raise InvalidParameter(
            f"{where}: a service gateway takes destinationType SERVICE_CIDR_BLOCK, and nothing "
            f"else does; found {rule['destinationType']} to {target.kind} {target.id}"
        )
    if not to_services:
        any_network(rule["destination"], f"{where}.destination")
    elif rule["destination"] not in service_labels(call.region):
        raise InvalidParameter(
            f"{where}.destination: '{rule['destination']}' is no service CIDR label of "
            f"{call.region}; it has {', '.join(service_labels(call.region))}"
        )


def _target(call: Call, vcn_id: str, identifier: str, where: str) -> Record:
    for kind in _TARGETS:
        if identifier.startswith(f"ocid1.{kind}."):
            return neighbour(call.cloud, kind, identifier, vcn_id, f"{where}.networkEntityId")
    if identifier.startswith("ocid1.drg."):
        return _attached(call, vcn_id, identifier, where)
    raise NotAuthorizedOrNotFound(f"{where}.networkEntityId: ocimock has no {identifier}")


def _attached(call: Call, vcn_id: str, identifier: str, where: str) -> Record:
    """:raises InvalidParameter: the DRG is not attached to the VCN."""
    drg = require(call.cloud, "drg", identifier)
    for attachment in call.cloud.store.live("drgattachment"):
        if attachment.data["drgId"] == drg.id and attachment.data["vcnId"] == vcn_id:
            return drg
    raise InvalidParameter(f"{where}.networkEntityId: {drg.id} is not attached to VCN {vcn_id}")


crud(SERVICE, ROUTE_TABLE, on_create=_check, on_update=_check, on_delete=refuse_default, only=CRUD)
