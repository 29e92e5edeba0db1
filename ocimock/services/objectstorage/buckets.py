"""The namespace and its buckets."""

from __future__ import annotations

import copy
from typing import Any

from ...resources import page, require_compartment
from ...service import Call
from ...store import Record
from ...wire.errors import (
    BucketAlreadyExists,
    BucketNotEmpty,
    InvalidParameter,
    MissingParameter,
)
from ...wire.message import Response
from . import versions
from .base import (
    BUCKET,
    SERVICE,
    UPLOAD,
    bucket_key,
    check_bucket_name,
    check_namespace,
    find_bucket,
)
from .conditions import check_change, is_unchanged
from .names import forget
from .preauthenticated import REQUEST

# Shown only to a client that asks for them by ``fields``.
_ON_REQUEST = ("approximateCount", "approximateSize", "autoTiering")
_SUMMARY = ("namespace", "name", "compartmentId", "createdBy", "timeCreated", "etag")


@SERVICE.operation("get_namespace")
def _get_namespace(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    return Response.of_json(call.cloud.settings.namespace)


@SERVICE.operation("get_namespace_metadata")
def _get_namespace_metadata(call: Call) -> Response:
    check_namespace(call)
    settings = call.cloud.settings
    return Response.of_json(
        {
            "namespace": settings.namespace,
            "defaultS3CompartmentId": settings.tenancy_id,
            "defaultSwiftCompartmentId": settings.tenancy_id,
        }
    )


@SERVICE.operation("create_bucket")
def _create_bucket(call: Call) -> Response:
    check_namespace(call)
    body = call.body()
    check_bucket_name(body["name"])
    require_compartment(call.cloud, body["compartmentId"])
    key = bucket_key(call.region, body["name"])
    if call.cloud.store.find(BUCKET, key) is not None:
        raise BucketAlreadyExists(
            f"Either the bucket '{body['name']}' in namespace '{call.path['namespaceName']}' "
            "already exists or you are not authorized to create it"
        )
    etag = call.cloud.ids.uuid()
    data = {
        "metadata": {},
        "publicAccessType": "NoPublicAccess",
        "storageTier": "Standard",
        "objectEventsEnabled": False,
        "freeformTags": {},
        "definedTags": {},
        "versioning": "Disabled",
        "autoTiering": "Disabled",
        "replicationEnabled": False,
        "isReadOnly": False,
        **copy.deepcopy(body),
        "namespace": call.cloud.settings.namespace,
        "id": call.cloud.ids.new("bucket", call.region),
        "createdBy": call.cloud.settings.user_id,
        "timeCreated": call.cloud.clock.timestamp(),
        "etag": etag,
    }
    record = call.cloud.store.add(BUCKET, key, data, etag=etag)
    response = _show(call, record)
    response.headers["location"] = f"{call.request.base_url}{call.request.path}/{body['name']}"
    return response


@SERVICE.operation("get_bucket")
def _get_bucket(call: Call) -> Response:
    record = find_bucket(call)
    if is_unchanged(call, record.etag):
        return Response(304, {"etag": record.etag})
    return _show(call, record)


@SERVICE.operation("head_bucket")
def _head_bucket(call: Call) -> Response:
    record = find_bucket(call)
    return Response(304 if is_unchanged(call, record.etag) else 200, {"etag": record.etag})


@SERVICE.operation("list_buckets")
def _list_buckets(call: Call) -> Response:
    check_namespace(call)
    compartment = call.query("compartmentId")
    if not compartment:
        raise MissingParameter("compartmentId is required to list buckets")
    require_compartment(call.cloud, compartment)
    fields: tuple[str, ...] = _SUMMARY
    if "tags" in _fields(call, allowed=("tags",)):
        fields += ("freeformTags", "definedTags")
    found = [
        {wire: record.data[wire] for wire in fields}
        for record in call.cloud.store.live(BUCKET)
        if record.data["compartmentId"] == compartment
        and record.id == bucket_key(call.region, record.data["name"])
    ]
    return page(call, sorted(found, key=lambda data: str(data["name"])), collection=False)


@SERVICE.operation("update_bucket")
def _update_bucket(call: Call) -> Response:
    record = find_bucket(call)
    check_change(call, record.etag)
    body = call.body()
    _check_update(call, record, body)
    record.data.update(copy.deepcopy(body))
    record.etag = record.data["etag"] = call.cloud.ids.uuid()
    return _show(call, record)


@SERVICE.operation("delete_bucket")
def _delete_bucket(call: Call) -> Response:
    record = find_bucket(call)
    check_change(call, record.etag)
    _refuse_full(call, record)
    call.cloud.store.drop(BUCKET, record.id)
    forget(call.cloud, record.id)
    return Response(204)


@SERVICE.operation("list_retention_rules")
def _list_retention_rules(call: Call) -> Response:
    """The mock takes no retention rules, so there is none; Terraform asks with each read."""
    find_bucket(call)
    return Response.of_json({"items": []})


def _show(call: Call, record: Record) -> Response:
    data = {wire: value for wire, value in record.data.items() if wire not in _ON_REQUEST}
    asked = _fields(call, allowed=_ON_REQUEST)
    present = [
        found
        for name in (versions.names(call.cloud, record) if asked else ())
        for found in versions.history(call.cloud, record, name)
    ]
    shown: dict[str, Any] = {
        "approximateCount": len(present),
        "approximateSize": sum(found.data.get("size", 0) for found in present),
        "autoTiering": record.data["autoTiering"],
    }
    data.update({wire: shown[wire] for wire in asked})
    return Response.of_json(data, etag=record.etag)


def _fields(call: Call, allowed: tuple[str, ...]) -> list[str]:
    """The names in the ``fields`` parameter, given once with commas or several times."""
    asked = [name for value in call.request.query.get("fields", ()) for name in value.split(",")]
    for name in asked:
        if name and name not in allowed:
            raise InvalidParameter(f"fields: '{name}' is not one of {', '.join(allowed)}")
    return [name for name in asked if name]


def _check_update(call: Call, record: Record, body: dict[str, Any]) -> None:
    if body.get("name", record.data["name"]) != record.data["name"]:
        raise InvalidParameter("name: a bucket's name can't be changed")
    if body.get("namespace", record.data["namespace"]) != record.data["namespace"]:
        raise InvalidParameter("namespace: a bucket can't move to another namespace")
    require_compartment(call.cloud, body.get("compartmentId"))
    if body.get("versioning") == "Suspended" and record.data["versioning"] == "Disabled":
        raise InvalidParameter("versioning: it was never enabled, so it can't be suspended")


def _refuse_full(call: Call, record: Record) -> None:
    """:raises BucketNotEmpty: objects, versions, uploads or requests are left in the bucket."""
    name = record.data["name"]
    for object_name in versions.names(call.cloud, record):
        if versions.latest(call.cloud, record, object_name) is not None:
            raise BucketNotEmpty(
                f"Bucket named '{name}' is not empty. Delete all objects first "
                f"('{object_name}' is one)."
            )
        raise BucketNotEmpty(
            f"Bucket named '{name}' is not empty. Delete all object versions first "
            f"('{object_name}' has some)."
        )
    for kind, left in (
        (UPLOAD, "uncommitted multipart uploads"),
        (REQUEST, "pre-authenticated requests"),
    ):
        if any(other.private["bucket"] == record.id for other in call.cloud.store.live(kind)):
            raise BucketNotEmpty(f"Bucket named '{name}' has {left}. Delete all {left} first.")
