"""Artifacts of jobs and models: one upload, then HEAD and GET."""

from __future__ import annotations

import re

from ...cloud import Cloud
from ...service import Call
from ...store import Record
from ...wire.body import Body
from ...wire.errors import IncorrectState, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from ..objectstorage.conditions import ranged
from ..objectstorage.objects import http_time
from ..objectstorage.versions import md5

_FILENAME = re.compile(r"filename\s*=\s*\"?([^\";]+)\"?")


def upload(call: Call, record: Record) -> Response:
    """The upload operation. An artifact stays as it is: a second upload is refused.

    :raises IncorrectState: there is an artifact already.
    :raises InvalidParameter: an empty body.
    """
    if "artifact" in record.private:
        raise IncorrectState(f"{record.id} has its artifact already; it can't be changed")
    if not call.request.content.size:
        raise InvalidParameter("the artifact is empty")
    keep(call.cloud, record, call.request.content, _filename(call.header("content-disposition")))
    return Response(204, {"etag": record.private["artifact"]["etag"]})


def keep(cloud: Cloud, record: Record, body: Body, filename: str) -> None:
    """Make *body* the artifact of *record*."""
    record.private["artifact"] = {
        "filename": filename,
        "size": body.size,
        "md5": md5(body),
        "etag": cloud.ids.uuid(),
        "time": cloud.clock.timestamp(),
        "blob": cloud.blobs.put(body),
    }


def head(record: Record) -> Response:
    """The HEAD operation."""
    return Response(200, _headers(record))


def content(call: Call, record: Record) -> Response:
    """The GET operation, by range if asked."""
    headers = _headers(record)
    body = call.cloud.blobs.get(record.private["artifact"]["blob"])
    return ranged(call, headers, body)


def drop(cloud: Cloud, record: Record) -> None:
    """Forget the artifact of a record that is deleted."""
    if artifact := record.private.pop("artifact", None):
        cloud.blobs.drop(artifact["blob"])


def _headers(record: Record) -> dict[str, str]:
    artifact = record.private.get("artifact")
    if artifact is None:
        raise NotAuthorizedOrNotFound(f"{record.id} has no artifact")
    return {
        "content-type": "application/octet-stream",
        "content-length": str(artifact["size"]),
        # Without quotes, whatever the client sent: ADS reads the file's ending off the end.
        "content-disposition": f"attachment; filename={artifact['filename']}",
        "content-md5": artifact["md5"],
        "accept-ranges": "bytes",
        "etag": artifact["etag"],
        "last-modified": http_time(artifact["time"]),
    }


def _filename(disposition: str) -> str:
    found = _FILENAME.search(disposition)
    return found.group(1).strip() if found else "artifact.zip"
