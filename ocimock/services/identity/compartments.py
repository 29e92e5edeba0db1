"""The tenancy and its compartments."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud, seed
from ...iam.directory import Compartment, tags_of
from ...identifiers import region_key
from ...resources import (
    Kind,
    check_etag,
    depart,
    get,
    get_settled,
    listed,
    refuse_duplicate,
    require_compartment,
    show,
    subtree,
)
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, IncorrectState, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from ...work_requests import Touched, accept, at_end
from .base import SERVICE, CompartmentExists, at_home, check_home, iam

# At real pace. OCI takes minutes for it.
_DELETE_SECONDS = 1.0

COMPARTMENT = Kind(
    name="compartment",
    model="Compartment",
    path_id="compartmentId",
    noun="compartment",
    plural="compartments",
    regional=False,
    create_seconds=0.5,
    delete_seconds=_DELETE_SECONDS,
    unique=("compartmentId", "name"),
    defaults=(("isAccessible", True),),
    duplicate=CompartmentExists,
)
TENANCY_NAME = "ocimock"


@seed
def _plant(cloud: Cloud) -> None:
    """The compartment that the embedded tenancy is born with."""
    data = _compartment(cloud, cloud.settings.compartment_id, cloud.settings.tenancy_id, "sandbox")
    data["description"] = "the compartment that ocimock starts with"
    cloud.store.add(
        COMPARTMENT.name,
        data["id"],
        data,
        etag=cloud.ids.token(16),
        private={"seeded": True},
    )


def compartments(cloud: Cloud) -> dict[str, Compartment]:
    """The tenancy's, by OCID, as policies see them."""
    return {
        each.id: Compartment(
            each.id,
            each.data["name"],
            each.data["compartmentId"],
            tags_of(each.data.get("definedTags")),
        )
        for each in cloud.store.live(COMPARTMENT.name)
    }


@SERVICE.operation("get_tenancy")
def _get_tenancy(call: Call) -> Response:
    settings = call.cloud.settings
    if call.path["tenancyId"] != settings.tenancy_id:
        raise NotAuthorizedOrNotFound(f"tenancy {call.path['tenancyId']} is not this mock's")
    return Response.of_json(
        {
            "id": settings.tenancy_id,
            "name": TENANCY_NAME,
            "description": "the tenancy that ocimock stands for",
            "homeRegionKey": region_key(settings.home_region).upper(),
            "freeformTags": {},
            "definedTags": {},
        }
    )


@SERVICE.operation("get_compartment")
def _get(call: Call) -> Response:
    if call.path["compartmentId"] == call.cloud.settings.tenancy_id:
        return Response.of_json(_root(call.cloud))
    return show(get(call, COMPARTMENT))


@SERVICE.operation("list_compartments")
def _list(call: Call) -> Response:
    cloud = call.cloud
    parent = call.query("compartmentId")
    require_compartment(cloud, parent)
    within = {parent}
    if call.query("compartmentIdInSubtree") == "true":
        if parent != cloud.settings.tenancy_id:
            raise InvalidParameter(
                "compartmentIdInSubtree can be true only where compartmentId is the tenancy's"
            )
        within = set(subtree(cloud, cloud.settings.tenancy_id))
    wanted = {wire: call.query(wire) for wire in ("name", "lifecycleState")}
    found = [
        record
        for record in cloud.store.live(COMPARTMENT.name)
        if record.data["compartmentId"] in within
        and all(value in (None, record.data[wire]) for wire, value in wanted.items())
    ]
    return listed(call, found)


@SERVICE.operation("delete_compartment")
@at_home
def _delete(call: Call) -> Response:
    record = get_settled(call, COMPARTMENT)
    if (inside := _first_inside(call.cloud, record.id)) is not None:
        raise Conflict(f"compartment {record.id} is not empty: {inside.kind} {inside.id} is in it")
    depart(call.cloud, COMPARTMENT, record)
    touched = Touched("compartment", "DELETED", record.id)
    parent = record.data["compartmentId"]
    return accept(call, "DELETE_COMPARTMENT", parent, touched, seconds=_DELETE_SECONDS)


@at_end("DELETE_COMPARTMENT")
def _free_name(cloud: Cloud, work: Record) -> None:
    """A deleted compartment gets another name, so that its own can be used again."""
    record = cloud.store.find(COMPARTMENT.name, work.data["resources"][0]["identifier"])
    if record is not None:
        record.data["name"] = f"{record.data['name']}.{cloud.ids.token(8)}"


@SERVICE.operation("recover_compartment")
@at_home
def _recover(call: Call) -> Response:
    """It comes back ACTIVE under the name that its deletion gave it."""
    record = get(call, COMPARTMENT)
    check_etag(call, record)
    if not record.deleted:
        raise IncorrectState(f"compartment {record.id} is {record.data['lifecycleState']}")
    require_compartment(call.cloud, record.data["compartmentId"])
    record.deleted = False
    record.data["lifecycleState"] = COMPARTMENT.lifecycle.active
    record.etag = call.cloud.ids.token(16)
    return show(record)


@SERVICE.operation("move_compartment")
def _move(call: Call) -> Response:
    check_home(call)
    record = get_settled(call, COMPARTMENT)
    target = call.body()["targetCompartmentId"]
    require_compartment(call.cloud, target)
    if target in subtree(call.cloud, record.id):
        raise InvalidParameter(f"targetCompartmentId: {target} is in the compartment to be moved")
    refuse_duplicate(call.cloud, COMPARTMENT, {**record.data, "compartmentId": target})
    record.data["compartmentId"] = target
    touched = Touched("compartment", "UPDATED", record.id)
    return accept(call, "MOVE_COMPARTMENT", target, touched)


def _first_inside(cloud: Cloud, compartment_id: str) -> Record | None:
    for kind in cloud.store.kinds():
        for record in cloud.store.live(kind):
            if not record.history and record.data.get("compartmentId") == compartment_id:
                return record
    return None


def _root(cloud: Cloud) -> dict[str, Any]:
    root = _compartment(cloud, cloud.settings.tenancy_id, cloud.settings.tenancy_id, TENANCY_NAME)
    return root | {"description": "the root compartment"}


def _compartment(cloud: Cloud, identifier: str, parent: str, name: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "compartmentId": parent,
        "name": name,
        "isAccessible": True,
        "lifecycleState": "ACTIVE",
        "timeCreated": cloud.clock.timestamp(),
        "freeformTags": {},
        "definedTags": {},
    }


iam(COMPARTMENT, only=("create", "update"))
