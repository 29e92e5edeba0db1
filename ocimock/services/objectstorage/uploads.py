"""Uploads in parts: begin, upload, list, commit, abort.

Each part is a record of its own, so that it costs the same whether it is the first or the last of
thousands.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ...cloud import Cloud
from ...resources import page
from ...service import Call
from ...store import Record
from ...wire.body import Body
from ...wire.errors import (
    InvalidParameter,
    InvalidUploadPart,
    MissingParameter,
    NoSuchUpload,
)
from ...wire.message import Response
from . import versions
from .base import PART, SERVICE, UPLOAD, check_object_name, find_bucket
from .conditions import check_body, check_change, check_field
from .objects import http_time, meta_headers

# Source: OCI documentation, "Using Multipart Uploads".
_MOST_PARTS = 10_000


@SERVICE.operation("create_multipart_upload")
def _create(call: Call) -> Response:
    bucket = find_bucket(call)
    body = call.body()
    check_object_name(body["object"])
    present = versions.latest(call.cloud, bucket, body["object"])
    check_change(call, present.etag if present else None)
    data = {
        "namespace": bucket.data["namespace"],
        "bucket": bucket.data["name"],
        "object": body["object"],
        "uploadId": call.cloud.ids.uuid(),
        "timeCreated": call.cloud.clock.timestamp(),
        "storageTier": body.get("storageTier") or bucket.data["storageTier"],
    }
    private = {"bucket": bucket.id, "headers": _headers(body), "last part": 0}
    call.cloud.store.add(UPLOAD, data["uploadId"], data, private=private)
    return Response.of_json(data)


@SERVICE.operation("list_multipart_uploads")
def _list(call: Call) -> Response:
    bucket = find_bucket(call)
    uploads = call.cloud.store.live(UPLOAD)
    found = [upload.data for upload in uploads if upload.private["bucket"] == bucket.id]
    return page(call, sorted(found, key=lambda data: str(data["object"])), collection=False)


@SERVICE.operation("upload_part")
def _upload_part(call: Call) -> Response:
    upload = _find(call)
    number = _part_number(call)
    before = call.cloud.store.find(PART, _part_id(upload, number))
    check_change(call, before.etag if before else None)
    checksum = check_body(call)
    if before:
        call.cloud.blobs.drop(before.private["blob"])
    etag, md5 = call.cloud.ids.uuid(), versions.md5(call.request.content)
    data = {
        "etag": etag,
        "md5": md5,
        "size": call.request.content.size,
        "partNumber": number,
    }
    private = {"blob": call.cloud.blobs.put(call.request.content)}
    call.cloud.store.add(
        PART, _part_id(upload, number), data, etag=etag, private=private, history=True
    )
    upload.private["last part"] = max(upload.private["last part"], number)
    return Response(200, {"etag": etag, "opc-content-md5": md5, **checksum})


@SERVICE.operation("list_multipart_upload_parts")
def _list_parts(call: Call) -> Response:
    parts = _parts(call.cloud, _find(call)).values()
    return page(call, [part.data for part in parts], collection=False)


@SERVICE.operation("commit_multipart_upload")
def _commit(call: Call) -> Response:
    bucket = find_bucket(call)
    upload = _find(call)
    name = call.path["objectName"]
    present = versions.latest(call.cloud, bucket, name)
    check_change(call, present.etag if present else None)
    chosen = _chosen_parts(_parts(call.cloud, upload), call.body())
    bodies = [call.cloud.blobs.get(part.private["blob"]) for part in chosen]
    content = versions.Content(
        Body.joined(bodies),
        headers=upload.private["headers"],
        storage_tier=upload.data["storageTier"],
        multipart_md5=_multipart_md5(chosen),
    )
    record = versions.write(call.cloud, bucket, name, content)
    _forget(call, upload)
    headers = {
        "etag": record.etag,
        "last-modified": http_time(record.data["timeModified"]),
        "opc-multipart-md5": record.data["md5"],
        "version-id": record.id,
    }
    return Response(200, headers)


@SERVICE.operation("abort_multipart_upload")
def _abort(call: Call) -> Response:
    _forget(call, _find(call))
    return Response(204)


def _find(call: Call) -> Record:
    bucket = find_bucket(call)
    upload_id = call.query("uploadId")
    if not upload_id:
        raise MissingParameter("uploadId is required")
    upload = call.cloud.store.find(UPLOAD, upload_id)
    if (
        upload is None
        or upload.private["bucket"] != bucket.id
        or upload.data["object"] != call.path["objectName"]
    ):
        raise NoSuchUpload(f"no upload '{upload_id}' of object '{call.path['objectName']}'")
    return upload


def _part_number(call: Call) -> int:
    if call.query("uploadPartNum") is None:
        raise MissingParameter("uploadPartNum is required")
    number = call.int_query("uploadPartNum", 1)
    if number > _MOST_PARTS:
        raise InvalidParameter(f"uploadPartNum {number}: 1 to {_MOST_PARTS}")
    return number


def _part_id(upload: Record, number: int) -> str:
    return f"{upload.id}/{number}"


def _parts(cloud: Cloud, upload: Record) -> dict[int, Record]:
    """The parts that have come, by number, in order."""
    numbers = range(1, upload.private["last part"] + 1)
    found = {number: cloud.store.find(PART, _part_id(upload, number)) for number in numbers}
    return {number: part for number, part in found.items() if part is not None}


def _chosen_parts(parts: dict[int, Record], body: dict[str, Any]) -> list[Record]:
    """The parts to commit, in order.

    :raises InvalidUploadPart: a part is not there, has another etag, or is in neither list.
    """
    chosen: dict[int, Record] = {}
    for wanted in body["partsToCommit"]:
        number = int(wanted["partNum"])
        part = parts.get(number)
        if part is None or part.etag != wanted["etag"]:
            raise InvalidUploadPart(
                f"part {number} with etag '{wanted['etag']}' was not uploaded to this upload"
            )
        chosen[number] = part
    excluded = {int(number) for number in body.get("partsToExclude") or ()}
    if left := sorted(set(parts) - set(chosen) - excluded):
        raise InvalidUploadPart(f"part {left[0]} is in neither partsToCommit nor partsToExclude")
    return [chosen[number] for number in sorted(chosen)]


def _multipart_md5(parts: list[Record]) -> str:
    """The MD5 of the parts' MD5s, and how many there are, as OCI writes it."""
    digests = b"".join(base64.b64decode(part.data["md5"]) for part in parts)
    whole = hashlib.md5(digests, usedforsecurity=False).digest()
    return f"{base64.b64encode(whole).decode()}-{len(parts)}"


def _headers(body: dict[str, Any]) -> dict[str, str]:
    names = {
        "contentType": "content-type",
        "contentLanguage": "content-language",
        "contentEncoding": "content-encoding",
        "contentDisposition": "content-disposition",
        "cacheControl": "cache-control",
    }
    headers = {
        header: check_field(body[wire], wire) for wire, header in names.items() if body.get(wire)
    }
    headers.setdefault("content-type", "application/octet-stream")
    return {**headers, **meta_headers(body.get("metadata") or {}, "metadata")}


def _forget(call: Call, upload: Record) -> None:
    for part in _parts(call.cloud, upload).values():
        call.cloud.blobs.drop(part.private["blob"])
        call.cloud.store.drop(PART, part.id)
    call.cloud.store.drop(UPLOAD, upload.id)
