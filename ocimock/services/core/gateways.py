"""NAT, internet and service gateways."""

from __future__ import annotations

from ...resources import NETWORK_LIFECYCLE, Kind, check_etag, crud, get_live, show
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter, LimitExceeded
from ...wire.message import Response
from . import public_ips
from .base import CRUD, SECONDS, SERVICE, check_route_table
from .oracle_services import find_service

# RFC 5737's documentation addresses: no gateway of the mock shows an address that someone owns.
_PUBLIC_NETWORK = "203.0.113"

NAT_GATEWAY = Kind(
    name="natgateway",
    model="NatGateway",
    path_id="natGatewayId",
    noun="nat_gateway",
    plural="nat_gateways",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    defaults=(("blockTraffic", False),),
    parents=(("vcnId", "vcn"),),
)
INTERNET_GATEWAY = NAT_GATEWAY.with_(
    name="internetgateway",
    model="InternetGateway",
    path_id="igId",
    noun="internet_gateway",
    plural="internet_gateways",
    defaults=(),
)
SERVICE_GATEWAY = NAT_GATEWAY.with_(
    name="servicegateway",
    model="ServiceGateway",
    path_id="serviceGatewayId",
    noun="service_gateway",
    plural="service_gateways",
)


def _only_one(call: Call, record: Record) -> None:
    """:raises LimitExceeded: a VCN has at most one gateway of each kind."""
    for other in call.cloud.store.live(record.kind):
        if other.id != record.id and other.data["vcnId"] == record.data["vcnId"]:
            raise LimitExceeded(
                f"the limit of {record.kind}s per VCN (1) is reached: {other.id} stands in "
                f"{record.data['vcnId']}"
            )


def _check(call: Call, record: Record) -> None:
    check_route_table(call.cloud, record.data)


def _create(call: Call, record: Record) -> None:
    _only_one(call, record)
    _check(call, record)


def _create_nat(call: Call, record: Record) -> None:
    _create(call, record)
    if identifier := record.data.get("publicIpId"):
        record.data["natIp"] = public_ips.assign(call, identifier, record)
        return
    record.data["natIp"] = f"{_PUBLIC_NETWORK}.{record.number % 254 + 1}"


def _delete_nat(call: Call, record: Record) -> None:
    refuse_routed(call, record)
    public_ips.release(call, record)


def _name_services(call: Call, record: Record) -> None:
    """Resolve ``services`` (identifiers) to what a gateway shows of them."""
    named = []
    for item in record.data["services"]:
        service = find_service(call.region, item["serviceId"])
        named.append({"serviceId": service["id"], "serviceName": service["name"]})
    if len({item["serviceId"] for item in named}) < len(named):
        raise InvalidParameter("services names a service twice")
    record.data["services"] = named


def _create_service(call: Call, record: Record) -> None:
    _create(call, record)
    _name_services(call, record)


def _update_service(call: Call, record: Record) -> None:
    _check(call, record)
    _name_services(call, record)


def refuse_routed(call: Call, record: Record) -> None:
    """:raises Conflict: a route rule still leads to the gateway."""
    for table in call.cloud.store.live("routetable"):
        if any(rule["networkEntityId"] == record.id for rule in table.data["routeRules"]):
            raise Conflict(f"{record.kind} {record.id} is in use by route table {table.id}")


@SERVICE.operation("attach_service_id")
def _attach(call: Call) -> Response:
    record = get_live(call, SERVICE_GATEWAY)
    check_etag(call, record)
    service = find_service(call.region, call.body()["serviceId"])
    attached = {"serviceId": service["id"], "serviceName": service["name"]}
    if attached in record.data["services"]:
        raise Conflict(f"{service['name']} is attached to {record.id} already")
    record.data["services"].append(attached)
    record.etag = call.cloud.ids.token(16)
    return show(record)


@SERVICE.operation("detach_service_id")
def _detach(call: Call) -> Response:
    record = get_live(call, SERVICE_GATEWAY)
    check_etag(call, record)
    service = find_service(call.region, call.body()["serviceId"])
    left = [item for item in record.data["services"] if item["serviceId"] != service["id"]]
    if len(left) == len(record.data["services"]):
        raise Conflict(f"{service['name']} is not attached to {record.id}")
    record.data["services"] = left
    record.etag = call.cloud.ids.token(16)
    return show(record)


crud(
    SERVICE,
    NAT_GATEWAY,
    on_create=_create_nat,
    on_update=_check,
    on_delete=_delete_nat,
    only=CRUD,
)
crud(
    SERVICE,
    INTERNET_GATEWAY,
    on_create=_create,
    on_update=_check,
    on_delete=refuse_routed,
    only=CRUD,
)
crud(
    SERVICE,
    SERVICE_GATEWAY,
    on_create=_create_service,
    on_update=_update_service,
    on_delete=refuse_routed,
    only=CRUD,
)
