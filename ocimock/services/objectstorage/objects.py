"""Objects: put, get, head, delete, rename."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, ServiceError
from ...wire.message import Response
from . import service_packs, versions
from .base import SERVICE, check_object_name, find_bucket
from .conditions import (
    check_body,
    check_change,
    check_field,
    check_match,
    check_none_match,
    is_unchanged,
    ranged,
)

_KEPT_HEADERS = (
    "content-type",
    "content-language",
    "content-encoding",
    "content-disposition",
    "cache-control",
)
_META = "opc-meta-"
# Source: RFC 9110, "Tokens".
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_TIERS = ("Standard", "InfrequentAccess", "Archive")
# Query parameters by which a client sets the header fields of its own answer.
_OVERRIDES = {
    "httpResponseContentDisposition": "content-disposition",
    "httpResponseCacheControl": "cache-control",
    "httpResponseContentType": "content-type",
    "httpResponseContentLanguage": "content-language",
    "httpResponseContentEncoding": "content-encoding",
    "httpResponseExpires": "expires",
}


@SERVICE.operation("put_object")
def put_object(call: Call) -> Response:
    bucket = find_bucket(call)
    name = call.path["objectName"]
    check_object_name(name)
    present = versions.latest(call.cloud, bucket, name)
    check_change(call, present.etag if present else None)
    checksum = check_body(call)
    content = versions.Content(
        call.request.content,
        headers={**kept_headers(call), **checksum},
        storage_tier=storage_tier(call, bucket),
    )
    record = versions.write(call.cloud, bucket, name, content)
    headers = {
        "etag": record.etag,
        "last-modified": http_time(record.data["timeModified"]),
        "opc-content-md5": record.data["md5"],
        "version-id": record.id,
        **checksum,
    }
    return Response(200, headers)


@SERVICE.operation("get_object")
def get_object(call: Call) -> Response:
    if service_packs.is_meant(call):
        return service_packs.get(call)
    record = _readable(call)
    if is_unchanged(call, record.etag):
        return Response(304, {"etag": record.etag})
    headers = _headers(record)
    for parameter, name in _OVERRIDES.items():
        if value := call.query(parameter):
            headers[name] = check_field(value, parameter)
    body = call.cloud.blobs.get(record.private["blob"])
    return ranged(call, headers, body, checksum="content-md5")


@SERVICE.operation("head_object")
def head_object(call: Call) -> Response:
    if service_packs.is_meant(call):
        return service_packs.head(call)
    record = _readable(call)
    if is_unchanged(call, record.etag):
        return Response(304, {"etag": record.etag})
    return Response(200, _headers(record))


@SERVICE.operation("delete_object")
def _delete_object(call: Call) -> Response:
    bucket = find_bucket(call)
    name, version_id = call.path["objectName"], call.query("versionId")
    record = versions.find(call.cloud, bucket, name, version_id)
    check_change(call, record.etag)
    gone = delete_version(call, bucket, record, for_good=version_id is not None)
    headers = {
        "last-modified": http_time(gone.data["timeModified"]),
        "version-id": gone.id,
        "is-delete-marker": str(gone.data["isDeleteMarker"]).lower(),
    }
    return Response(204, headers)


@SERVICE.operation("batch_delete_objects")
def _batch_delete_objects(call: Call) -> Response:
    bucket = find_bucket(call)
    body = call.body()
    deleted, failed = [], []
    for wanted in body["objects"]:
        try:
            record = versions.find(call.cloud, bucket, wanted["objectName"])
            check_match(wanted.get("ifMatch") or "", record.etag)
        except ServiceError as fault:
            failed.append(
                {
                    "objectName": wanted["objectName"],
                    "statusCode": fault.status,
                    "errorMessage": fault.message,
                }
            )
            continue
        gone = delete_version(call, bucket, record, for_good=False)
        time = gone.data["timeModified"]
        deleted.append({"objectName": wanted["objectName"], "timeLastModified": time})
    shown = [] if body.get("isSkipDeletedResult") else deleted
    return Response.of_json({"deleted": shown, "failed": failed})


@SERVICE.operation("rename_object")
def _rename_object(call: Call) -> Response:
    bucket = find_bucket(call)
    body = call.body()
    source, new = body["sourceName"], body["newName"]
    check_object_name(new)
    record = versions.find(call.cloud, bucket, source)
    check_match(body.get("srcObjIfMatchETag") or "", record.etag)
    if source == new:
        raise InvalidParameter(f"newName '{new}' is the object's name already")
    there = versions.latest(call.cloud, bucket, new)
    there_etag = there.etag if there else None
    check_match(body.get("newObjIfMatchETag") or "", there_etag)
    check_none_match(body.get("newObjIfNoneMatchETag") or "", there_etag)
    versions.rename(call.cloud, bucket, record, new)
    modified = http_time(record.data["timeModified"])
    return Response(200, {"etag": record.etag, "last-modified": modified, "version-id": record.id})


def delete_version(call: Call, bucket: Record, record: Record, *, for_good: bool) -> Record:
    """Delete a version *for_good*, or an object: behind a delete marker where versions are kept.

    :return: the record that the answer tells of: the marker, or what is gone.
    """
    if for_good or bucket.data["versioning"] == "Disabled":
        versions.drop(call.cloud, bucket, record)
        return record
    return versions.mark_deleted(call.cloud, bucket, record.data["name"])


def kept_headers(call: Call) -> dict[str, str]:
    """The header fields that an object is served with again."""
    kept = {name: call.header(name) for name in _KEPT_HEADERS if call.header(name)}
    kept.setdefault("content-type", "application/octet-stream")
    fields = call.request.headers.items()
    return {**kept, **{name: value for name, value in fields if name.startswith(_META)}}


def meta_headers(metadata: Mapping[str, str], where: str) -> dict[str, str]:
    """A body's metadata as the header fields that an object is served with.

    :raises InvalidParameter: a name or a value can't be in a header.
    """
    found = {}
    for name, value in metadata.items():
        field = name.lower() if name.lower().startswith(_META) else f"{_META}{name.lower()}"
        if not _FIELD_NAME.fullmatch(field):
            raise InvalidParameter(f"{where}: '{name[:80]}' can't be part of a header field's name")
        found[field] = check_field(value, f"{where}.{name}")
    return found


def storage_tier(call: Call, bucket: Record) -> str:
    """The tier that the client asks for, the bucket's own where it asks for none."""
    tier = call.header("storage-tier") or str(bucket.data["storageTier"])
    if tier not in _TIERS:
        raise InvalidParameter(f"storage-tier '{tier}' is not one of {', '.join(_TIERS)}")
    return tier


@functools.lru_cache(maxsize=1024)
def http_time(timestamp: str) -> str:
    """A record's RFC 3339 time as HTTP writes it."""
    return format_datetime(datetime.fromisoformat(timestamp), usegmt=True)


def _readable(call: Call) -> Record:
    bucket = find_bucket(call)
    record = versions.find(call.cloud, bucket, call.path["objectName"], call.query("versionId"))
    if record.data["isDeleteMarker"]:
        raise versions.not_found(bucket, record.data["name"], record.id)
    return record


def _headers(record: Record) -> dict[str, str]:
    checksum = "opc-multipart-md5" if record.data["isMultipart"] else "content-md5"
    return {
        **record.data["headers"],
        "accept-ranges": "bytes",
        "content-length": str(record.data["size"]),
        checksum: record.data["md5"],
        "etag": record.etag,
        "last-modified": http_time(record.data["timeModified"]),
        "storage-tier": record.data["storageTier"],
        "version-id": record.id,
    }
