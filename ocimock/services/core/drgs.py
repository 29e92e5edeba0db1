"""Dynamic routing gateways and their attachments to VCNs. They have no route tables here."""

from __future__ import annotations

from typing import Any

from ...resources import (
    NETWORK_LIFECYCLE,
    Kind,
    Lifecycle,
    add,
    crud,
    list_,
    require,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter, MissingParameter, NotImplementedByMock
from ...wire.message import Response
from .base import CRUD, SECONDS, SERVICE, check_route_table

DRG = Kind(
    name="drg",
    model="Drg",
    path_id="drgId",
    noun="drg",
    plural="drgs",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    children=(("drgattachment", "drgId"),),
)
ATTACHMENT = Kind(
    name="drgattachment",
    model="DrgAttachment",
    path_id="drgAttachmentId",
    noun="drg_attachment",
    plural="drg_attachments",
    lifecycle=Lifecycle("ATTACHING", "ATTACHED", "DETACHING", "DETACHED"),
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("drgId", DRG.name), ("vcnId", "vcn")),
    defaults=(("isCrossTenancy", False),),
)


@SERVICE.operation("create_drg_attachment")
def _attach(call: Call) -> Response:
    """A VCN is named by vcnId, or by networkDetails of type VCN.

    :raises Conflict: the VCN is attached already.
    """
    body = call.body()
    details = body.setdefault("networkDetails", {"type": "VCN", "id": body.get("vcnId")})
    if details["type"] != "VCN":
        raise NotImplementedByMock(f"ocimock attaches VCNs to DRGs, not {details['type']}")
    if body.get("vcnId") not in (None, details.get("id")):
        raise InvalidParameter("vcnId and networkDetails.id name two VCNs")
    body["vcnId"] = details.get("id")
    if not body["vcnId"]:
        raise MissingParameter("networkDetails.id must not be null")
    drg = require(call.cloud, DRG.name, body["drgId"])
    for other in call.cloud.store.live(ATTACHMENT.name):
        if other.data["vcnId"] == body["vcnId"]:
            raise Conflict(f"VCN {body['vcnId']} is attached to a DRG already by {other.id}")
    where = {"compartmentId": drg.data["compartmentId"]}
    return show(add(call, ATTACHMENT, body, _check, **where))


@SERVICE.operation("list_drg_attachments")
def _list(call: Call) -> Response:
    names = {"networkId": "networkId", "attachmentType": "attachmentType"}
    return list_(call, ATTACHMENT, view=_with_network, names=names)


def _with_network(attachment: Record) -> dict[str, Any]:
    """An attachment with the network that it leads to, as lists are filtered by it."""
    network = {"networkId": attachment.data["vcnId"], "attachmentType": "VCN"}
    return {**attachment.data, **network}


def _check(call: Call, record: Record) -> None:
    for name in ("drgRouteTableId", "exportDrgRouteDistributionId", "drgNatPolicyId"):
        if record.data.get(name):
            raise NotImplementedByMock(f"ocimock has no such thing as {name} names")
    check_route_table(call.cloud, record.data)


crud(SERVICE, DRG, only=CRUD)
crud(SERVICE, ATTACHMENT, on_update=_check, only=("get", "update", "delete"))
