"""Local peering gateways: two VCNs of one region that reach one another."""

from __future__ import annotations

from ...resources import NETWORK_LIFECYCLE, Kind, crud, get_settled, require
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter
from ...wire.message import Response
from .base import CRUD, SECONDS, SERVICE, check_route_table
from .cidr import network
from .gateways import refuse_routed

GATEWAY = Kind(
    name="localpeeringgateway",
    model="LocalPeeringGateway",
    path_id="localPeeringGatewayId",
    noun="local_peering_gateway",
    plural="local_peering_gateways",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
    defaults=(
        ("peeringStatus", "NEW"),
        ("peeringStatusDetails", "Not connected to a peer."),
        ("isCrossTenancyPeering", False),
    ),
)


@SERVICE.operation("connect_local_peering_gateways")
def _connect(call: Call) -> Response:
    """:raises Conflict: one of the two has a peer already.

    :raises InvalidParameter: they are one, in one VCN, or in VCNs whose CIDR blocks overlap.
    """
    record = get_settled(call, GATEWAY)
    peer = require(call.cloud, GATEWAY.name, call.body()["peerId"])
    for one in (record, peer):
        if one.data["peeringStatus"] == "PEERED":
            raise Conflict(f"{one.id} is connected to {one.data['peerId']} already")
    cidrs, peers = _cidrs(call, record), _cidrs(call, peer)
    if record.data["vcnId"] == peer.data["vcnId"]:
        raise InvalidParameter("peerId: both gateways are in the same VCN")
    for cidr in cidrs:
        for other in peers:
            if network(cidr, "cidrBlocks").overlaps(network(other, "cidrBlocks")):
                raise InvalidParameter(f"peerId: CIDR {cidr} overlaps with {other} of the peer")
    _peer(call, record, peer, peers)
    _peer(call, peer, record, cidrs)
    return Response(204)


def _peer(call: Call, record: Record, peer: Record, cidrs: list[str]) -> None:
    record.data |= {
        "peeringStatus": "PEERED",
        "peeringStatusDetails": "Connected to a peer.",
        "peerId": peer.id,
        "peerAdvertisedCidr": cidrs[0],
        "peerAdvertisedCidrDetails": cidrs,
    }
    record.etag = call.cloud.ids.token(16)


def _cidrs(call: Call, record: Record) -> list[str]:
    found: list[str] = list(require(call.cloud, "vcn", record.data["vcnId"]).data["cidrBlocks"])
    return found


def _delete(call: Call, record: Record) -> None:
    """The peer that is left says so: REVOKED."""
    refuse_routed(call, record)
    peer = call.cloud.store.find(GATEWAY.name, record.data.get("peerId") or "")
    if peer is not None and not peer.deleted:
        peer.data |= {
            "peeringStatus": "REVOKED",
            "peeringStatusDetails": "The connection to the peer was deleted by the peer.",
        }


def _check(call: Call, record: Record) -> None:
    check_route_table(call.cloud, record.data)


crud(SERVICE, GATEWAY, on_create=_check, on_update=_check, on_delete=_delete, only=CRUD)
