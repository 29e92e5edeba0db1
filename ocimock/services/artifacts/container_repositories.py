"""Container repositories of OCI Registry.

The mock has no registry that images could be pushed to, so every repository stays empty.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ...resources import Kind, Lifecycle, crud, list_, require_compartment
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE

REPOSITORY = Kind(
    name="containerrepo",
    model="ContainerRepository",
    path_id="repositoryId",
    noun="container_repository",
    plural="container_repositories",
    lifecycle=Lifecycle("AVAILABLE", "AVAILABLE", "DELETING", "DELETED"),
    # Names are unique in the registry's namespace, which is the tenancy's, whatever compartment.
    unique=("displayName",),
    defaults=(
        ("isPublic", False),
        ("isImmutable", False),
        ("imageCount", 0),
        ("layerCount", 0),
        ("layersSizeInBytes", 0),
        ("billableSizeInGBs", 0),
    ),
    collection=True,
    delete_seconds=0.3,
)
# A path of names as Docker takes them.
_NAME = re.compile(
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)


def _place(call: Call, record: Record) -> None:
    name = record.data["displayName"]
    if len(name) > 255 or not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"displayName: '{name}' must be lower-case letters, digits and single . _ - between "
            f"them, in parts separated by /"
        )
    record.data["namespace"] = call.cloud.settings.namespace


@SERVICE.operation("list_container_repositories")
def _list(call: Call) -> Response:
    listed = list_(call, REPOSITORY, names={"repositoryId": "id"})
    items = json.loads(bytes(listed.body))["items"]
    counts = {
        "imageCount": 0,
        "layerCount": 0,
        "layersSizeInBytes": 0,
        "repositoryCount": int(listed.headers["opc-total-items"]),
        "remainingItemsCount": int(listed.headers["opc-remaining-items"]),
    }
    return replace(listed, body=json.dumps({"items": items, **counts}).encode())


@SERVICE.operation("list_container_images")
def _list_images(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    return Response.of_json({"items": [], "remainingItemsCount": 0})


@SERVICE.operation("get_container_image")
def _get_image(call: Call) -> Response:
    raise NotAuthorizedOrNotFound(f"container image {call.path['imageId']} not found")


@SERVICE.operation("get_container_configuration")
def _configuration(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    return Response.of_json(
        {"isRepositoryCreatedOnFirstPush": True, "namespace": call.cloud.settings.namespace}
    )


crud(SERVICE, REPOSITORY, on_create=_place, only=("create", "get", "update", "move", "delete"))
