"""Copies of objects, and the work requests that they are."""

from __future__ import annotations

from typing import Any

from ... import acts
from ...cloud import Cloud, event
from ...service import Call
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound, ServiceError
from ...wire.message import Response
from ...work_requests import register
from . import versions
from .acts import on_bucket, service
from .base import BUCKET, SERVICE, bucket_key, check_object_name, find_bucket
from .conditions import check_match, check_none_match
from .objects import meta_headers

WORK_REQUEST = "objectstorageworkrequest"
# How long a copy takes at real pace, in seconds.
_COPY_SECONDS = 1.0


@SERVICE.operation("copy_object")
def _copy_object(call: Call) -> Response:
    bucket = find_bucket(call)
    body = call.body()
    check_object_name(body["destinationObjectName"])
    source = versions.find(
        call.cloud, bucket, body["sourceObjectName"], body.get("sourceVersionId")
    )
    check_match(body.get("sourceObjectIfMatchETag") or "", source.etag)
    cloud = call.cloud
    identifier = cloud.ids.uuid()
    data = {
        "id": identifier,
        "operationType": "COPY_OBJECT",
        "status": "ACCEPTED",
        "compartmentId": bucket.data["compartmentId"],
        "percentComplete": 0.0,
        "timeAccepted": cloud.clock.timestamp(),
        "resources": _resources(call.region, bucket, body),
    }
    private = {"bucket": bucket.id, "version": source.id, "body": body, "errors": [], "logs": []}
    cloud.store.add(WORK_REQUEST, identifier, data, private=private, history=True)
    cloud.clock.schedule(_COPY_SECONDS, "objectstorage.copy", identifier)
    return Response(202, {"opc-work-request-id": identifier})


@event("objectstorage.copy")
def _copy(cloud: Cloud, identifier: str) -> None:
    work = cloud.store.find(WORK_REQUEST, identifier)
    if work is None or work.data["status"] == "CANCELED":
        return
    now = cloud.clock.timestamp()
    work.data.update({"timeStarted": now, "timeFinished": now, "percentComplete": 100.0})
    try:
        _write_copy(cloud, work)
    except ServiceError as fault:
        work.data["status"] = "FAILED"
        error = {"code": fault.code, "message": fault.message, "timestamp": now}
        work.private["errors"].append(error)
        return
    work.data["status"] = "COMPLETED"
    work.private["logs"].append({"message": "Copied the object.", "timestamp": now})


def _write_copy(cloud: Cloud, work: Record) -> None:
    body: dict[str, Any] = work.private["body"]
    key = bucket_key(body["destinationRegion"], body["destinationBucket"])
    target = cloud.store.find(BUCKET, key)
    source_bucket = cloud.store.find(BUCKET, work.private["bucket"])
    if target is None or body["destinationNamespace"] != cloud.settings.namespace:
        raise NotAuthorizedOrNotFound(f"the destination bucket '{key}' does not exist")
    if source_bucket is None:
        raise NotAuthorizedOrNotFound("the source bucket is gone")
    _require_rights(cloud, source_bucket, body)
    source = versions.find(cloud, source_bucket, body["sourceObjectName"], work.private["version"])
    present = versions.latest(cloud, target, body["destinationObjectName"])
    etag = present.etag if present else None
    check_match(body.get("destinationObjectIfMatchETag") or "", etag)
    check_none_match(body.get("destinationObjectIfNoneMatchETag") or "", etag)
    headers = dict(source.data["headers"])
    if (metadata := body.get("destinationObjectMetadata")) is not None:
        headers = {name: text for name, text in headers.items() if name[:9] != "opc-meta-"}
        headers.update(meta_headers(metadata, "destinationObjectMetadata"))
    content = versions.Content(
        cloud.blobs.get(source.private["blob"]),
        headers=headers,
        storage_tier=body.get("destinationObjectStorageTier") or source.data["storageTier"],
        multipart_md5=source.data["md5"] if source.data["isMultipart"] else "",
    )
    versions.write(cloud, target, body["destinationObjectName"], content)


def _require_rights(cloud: Cloud, source: Record, body: dict[str, Any]) -> None:
    """The copy is made by Object Storage of the source's region, in its own name.

    :raises NotAuthorizedOrNotFound: the service may not read the one, or write the other.
    """
    region, name = source.id.split("/", 1)
    who, read, written = service(region), body["sourceObjectName"], body["destinationObjectName"]
    target, bucket = body["destinationRegion"], body["destinationBucket"]
    reads = on_bucket(cloud, who, region, name, "get_object", f"read '{read}'", read)
    writes = on_bucket(cloud, who, target, bucket, "put_object", f"write '{written}'", written)
    acts.require(cloud, region, [reads])
    acts.require(cloud, target, [writes])


def _resources(region: str, bucket: Record, body: dict[str, Any]) -> list[dict[str, Any]]:
    places = (
        ("READ", region, bucket.data["name"], body["sourceObjectName"]),
        (
            "WRITTEN",
            body["destinationRegion"],
            body["destinationBucket"],
            body["destinationObjectName"],
        ),
    )
    return [
        {
            "actionType": action,
            "entityType": "object",
            "identifier": name,
            "entityUri": f"/n/{bucket.data['namespace']}/b/{where}/o/{name}",
            "metadata": {
                "REGION": in_region,
                "NAMESPACE": bucket.data["namespace"],
                "BUCKET": where,
                "OBJECT": name,
            },
        }
        for action, in_region, where, name in places
    ]


register(SERVICE)
