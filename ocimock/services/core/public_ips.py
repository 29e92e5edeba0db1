"""Reserved public IP addresses: on their own, or a NAT gateway's. Nothing else here has one."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, crud, delete, get_settled, list_, require, show
from ...service import Call
from ...store import Record
from ...wire.errors import (
    Conflict,
    InvalidParameter,
    MissingParameter,
    NotAuthorizedOrNotFound,
    NotImplementedByMock,
)
from ...wire.message import Response
from .base import SECONDS, SERVICE

# RFC 5737's documentation addresses: the mock shows none that someone owns.
_NETWORK = "198.51.100"

PUBLIC_IP = Kind(
    name="publicip",
    model="PublicIp",
    path_id="publicIpId",
    noun="public_ip",
    plural="public_ips",
    # One that is assigned to nothing is AVAILABLE.
    lifecycle=Lifecycle("PROVISIONING", "AVAILABLE", "TERMINATING", "TERMINATED"),
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    defaults=(("scope", "REGION"),),
)


def assign(call: Call, identifier: str, gateway: Record) -> str:
    """Give a reserved address to a NAT gateway; the address.

    :raises Conflict: it is assigned already.
    """
    record = require(call.cloud, PUBLIC_IP.name, identifier)
    if record.data.get("assignedEntityId") not in (None, gateway.id):
        raise Conflict(f"{identifier} is assigned to {record.data['assignedEntityId']}")
    record.data |= {
        "assignedEntityId": gateway.id,
        "assignedEntityType": "NAT_GATEWAY",
        "lifecycleState": "ASSIGNED",
    }
    return str(record.data["ipAddress"])


def release(call: Call, gateway: Record) -> None:
    """Take back what a NAT gateway had."""
    for record in call.cloud.store.live_to_change(PUBLIC_IP.name):
        if record.data.get("assignedEntityId") == gateway.id:
            record.data |= {"assignedEntityId": None, "assignedEntityType": None}
            record.data["lifecycleState"] = PUBLIC_IP.lifecycle.active


@SERVICE.operation("list_public_ips")
def _list(call: Call) -> Response:
    """:raises MissingParameter: scope is not given.

    :raises NotImplementedByMock: addresses of availability domains are those of instances.
    """
    if call.query("scope") is None:
        raise MissingParameter("scope must be given")
    if call.query("scope") == "AVAILABILITY_DOMAIN":
        raise NotImplementedByMock("ocimock has no ephemeral public IPs of instances")
    return list_(call, PUBLIC_IP)


@SERVICE.operation("get_public_ip_by_ip_address")
def _get_by_address(call: Call) -> Response:
    address = call.body()["ipAddress"]
    for record in call.cloud.store.live(PUBLIC_IP.name):
        if record.data["ipAddress"] == address:
            return show(record)
    raise NotAuthorizedOrNotFound(f"there is no public IP {address}")


@SERVICE.operation("delete_public_ip")
def _delete(call: Call) -> Response:
    record = get_settled(call, PUBLIC_IP)
    if record.data.get("assignedEntityId"):
        raise Conflict(f"{record.id} is assigned to {record.data['assignedEntityId']}")
    return delete(call, PUBLIC_IP)


def _create(_call: Call, record: Record) -> None:
    if record.data["lifetime"] != "RESERVED":
        raise InvalidParameter("lifetime: an EPHEMERAL public IP needs a private IP")
    _check(_call, record)
    record.data["ipAddress"] = f"{_NETWORK}.{record.number % 254 + 1}"


def _check(_call: Call, record: Record) -> None:
    for name in ("privateIpId", "publicIpPoolId"):
        if record.data.get(name):
            raise NotImplementedByMock(f"ocimock has no such thing as {name} names")


crud(
    SERVICE,
    PUBLIC_IP,
    on_create=_create,
    on_update=_check,
    only=("create", "get", "update", "move"),
)
