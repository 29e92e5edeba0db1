"""What all of networking shares: the service, and checks between neighbours in a VCN."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud
from ...resources import require
from ...service import Service
from ...store import Record
from ...wire.errors import InvalidParameter

SERVICE = Service(
    "core",
    ("oci.core.VirtualNetworkClient",),
    labels=("iaas",),
)

# How long a resource of the network takes to come and to go at real pace.
SECONDS = 0.3

CRUD = ("create", "get", "list", "update", "move", "delete")


def neighbour(cloud: Cloud, kind: str, identifier: str, vcn_id: str, where: str) -> Record:
    """The live *kind* that field *where* names, which must stand in the same VCN.

    :raises NotAuthorizedOrNotFound: there is none.
    :raises InvalidParameter: it belongs to another VCN.
    """
    found = require(cloud, kind, identifier)
    if found.data["vcnId"] != vcn_id:
        raise InvalidParameter(
            f"{where}: {kind} {identifier} is in VCN {found.data['vcnId']}, not in {vcn_id}"
        )
    return found


def check_route_table(cloud: Cloud, data: dict[str, Any]) -> None:
    """The optional ``routeTableId`` of a subnet or gateway."""
    if data.get("routeTableId"):
        neighbour(cloud, "routetable", data["routeTableId"], data["vcnId"], "routeTableId")
