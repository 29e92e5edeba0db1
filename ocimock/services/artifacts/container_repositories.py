"""Container repositories of OCI Registry, and the images that tests have pushed to them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ...images import IMAGE
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
_IMAGE = Kind(
    name=IMAGE,
    model="ContainerImage",
    path_id="imageId",
    noun="container_image",
    plural="container_images",
    lifecycle=REPOSITORY.lifecycle,
    collection=True,
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
        "imageCount": sum(each["imageCount"] for each in items),
        "layerCount": 0,
        "layersSizeInBytes": 0,
        "repositoryCount": int(listed.headers["opc-total-items"]),
        "remainingItemsCount": int(listed.headers["opc-remaining-items"]),
    }
    return replace(listed, body=json.dumps({"items": items, **counts}).encode())


@SERVICE.operation("list_container_images")
def _list_images(call: Call) -> Response:
    names = {
        "imageId": "id",
        "repositoryId": "repositoryId",
        "repositoryName": "repositoryName",
        "version": "version",
    }
    listed = list_(call, _IMAGE, names=names)
    found = json.loads(bytes(listed.body))["items"]
    left = int(listed.headers["opc-remaining-items"])
    body = {"items": found, "remainingItemsCount": left}
    return replace(listed, body=json.dumps(body).encode())


@SERVICE.operation("get_container_image")
def _get_image(call: Call) -> Response:
    found = call.cloud.store.find(IMAGE, call.path["imageId"])
    if found is None or found.deleted:
        raise NotAuthorizedOrNotFound(f"container image {call.path['imageId']} not found")
    return Response.of_json(found.data)


@SERVICE.operation("get_container_configuration")
def _configuration(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    return Response.of_json(
        {"isRepositoryCreatedOnFirstPush": True, "namespace": call.cloud.settings.namespace}
    )


def _forget_images(call: Call, record: Record) -> None:
    call.cloud.images.forget(record)


crud(
    SERVICE,
    REPOSITORY,
    on_create=_place,
    on_delete=_forget_images,
    only=("create", "get", "update", "move", "delete"),
)
