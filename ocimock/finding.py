"""Resources by OCID: those that a path or a body names, and where they are."""

from __future__ import annotations

from .cloud import Cloud
from .identifiers import region_key
from .kinds import Kind
from .service import Call
from .store import Record
from .wire.errors import NotAuthorizedOrNotFound


def get(call: Call, kind: Kind) -> Record:
    """The record that the path names, a tombstone too."""
    found = call.cloud.store.find(kind.name, call.path[kind.path_id])
    if found is None or not in_region(call, kind, found):
        raise NotAuthorizedOrNotFound(
            f"Authorization failed or requested resource not found: {kind.noun} "
            f"{call.path[kind.path_id]}"
        )
    return found


def in_region(call: Call, kind: Kind, record: Record) -> bool:
    """Whether the called region's endpoint shows *record*: each region knows its own only."""
    place = place_of(record.id)
    return not kind.regional or not place or place in (call.region, region_key(call.region))


def get_live(call: Call, kind: Kind) -> Record:
    """The record that the path names, unless it is deleted."""
    found = get(call, kind)
    if found.deleted:
        raise NotAuthorizedOrNotFound(f"{kind.noun} {found.id} is deleted")
    return found


def require(cloud: Cloud, kind: str, identifier: str) -> Record:
    """The live record of *kind* with that OCID.

    :raises NotAuthorizedOrNotFound: as OCI answers for a reference to what isn't there.
    """
    found = cloud.store.find(kind, identifier)
    if found is None or found.deleted:
        raise NotAuthorizedOrNotFound(
            f"Authorization failed or requested resource not found: {kind} {identifier}"
        )
    return found


def require_compartment(cloud: Cloud, compartment_id: str | None) -> None:
    """The tenancy (root compartment) or a live compartment of it."""
    if compartment_id is None or compartment_id == cloud.settings.tenancy_id:
        return
    require(cloud, "compartment", compartment_id)


def subtree(cloud: Cloud, compartment_id: str) -> set[str]:
    """The OCIDs of a compartment and of all below it."""
    found = {compartment_id}
    grown = True
    while grown:
        below = {
            record.id
            for record in cloud.store.live("compartment")
            if record.data["compartmentId"] in found
        }
        grown = not below <= found
        found |= below
    return found


def place_of(identifier: str) -> str:
    """The region in an OCID, by key or name; empty in anything else."""
    parts = identifier.split(".")
    return parts[3] if len(parts) == 5 else ""
