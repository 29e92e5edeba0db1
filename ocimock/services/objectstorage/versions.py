"""The objects in a bucket and their versions.

A version is a record of kind ``object`` under its version id. Which names a bucket has, and which
versions each, is an index over these records (:mod:`.names`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...cloud import Cloud
from ...store import Record
from ...wire.body import Body
from ...wire.errors import ObjectNotFound
from .base import OBJECT
from .names import Names, index


@dataclass(frozen=True)
class Content:
    """A body on its way into a bucket, with the fields that describe it.

    *headers* are those that the object is served with again (content-type, opc-meta-…).
    *multipart_md5* stands in for the MD5 of an object that came in parts.
    """

    body: Body
    headers: dict[str, str] = field(default_factory=dict)
    storage_tier: str = "Standard"
    multipart_md5: str = ""


def md5(body: Body) -> str:
    """The MD5 of *body* as OCI writes it: base64."""
    return base64.b64encode(body.digest("md5")).decode()


def names(cloud: Cloud, bucket: Record) -> Names:
    """The names of all objects in *bucket*, deleted ones with versions left too, in order."""
    return index(cloud, bucket.id)


def history(cloud: Cloud, bucket: Record, name: str) -> Iterator[Record]:
    """The versions of an object, delete markers too, newest first."""
    for identifier in reversed(names(cloud, bucket).versions(name)):
        found = cloud.store.find(OBJECT, identifier)
        if found is not None:
            yield found


def latest(cloud: Cloud, bucket: Record, name: str) -> Record | None:
    """An object's present version; None where there is none or it is deleted."""
    return latest_among(cloud, names(cloud, bucket), name)


def latest_among(cloud: Cloud, of_bucket: Names, name: str) -> Record | None:
    """The same, for whoever has a bucket's names at hand and asks for many."""
    ids = of_bucket.versions(name)
    newest = cloud.store.find(OBJECT, ids[-1]) if ids else None
    return None if newest is None or newest.data["isDeleteMarker"] else newest


def find(cloud: Cloud, bucket: Record, name: str, version_id: str | None = None) -> Record:
    """An object's present version, or the one of that id (a delete marker, too).

    :raises ObjectNotFound: there is no such object, or no such version of it.
    """
    if version_id is None:
        found = latest(cloud, bucket, name)
    else:
        of_name = history(cloud, bucket, name)
        found = next((record for record in of_name if record.id == version_id), None)
    if found is None:
        raise not_found(bucket, name, version_id)
    return found


def not_found(bucket: Record, name: str, version_id: str | None) -> ObjectNotFound:
    """The error for an object, or a version of it, that *bucket* lacks."""
    version = f" with version '{version_id}'" if version_id else ""
    return ObjectNotFound(
        f"The object '{name}'{version} does not exist in bucket '{bucket.data['name']}' "
        f"with namespace '{bucket.data['namespace']}'"
    )


def write(cloud: Cloud, bucket: Record, name: str, content: Content) -> Record:
    """Make *content* the present version of the object *name*."""
    data = {
        "size": content.body.size,
        "md5": content.multipart_md5 or md5(content.body),
        "isMultipart": bool(content.multipart_md5),
        "storageTier": content.storage_tier,
        "headers": dict(content.headers),
    }
    return _add(cloud, bucket, name, data, blob=cloud.blobs.put(content.body))


def mark_deleted(cloud: Cloud, bucket: Record, name: str) -> Record:
    """Put a delete marker before an object's versions."""
    return _add(cloud, bucket, name, {"isDeleteMarker": True}, blob=None)


def drop(cloud: Cloud, bucket: Record, version: Record) -> None:
    """Forget one version for good, with its body."""
    names(cloud, bucket).remove(version.data["name"], version.id)
    if blob := version.private.get("blob"):
        cloud.blobs.drop(blob)
    cloud.store.drop(OBJECT, version.id)


def rename(cloud: Cloud, bucket: Record, version: Record, name: str) -> None:
    """Give an object's present version another name; it becomes the newest one under it."""
    index_ = names(cloud, bucket)
    index_.remove(version.data["name"], version.id)
    _make_room(cloud, bucket, name)
    index_.add(name, version)
    # It comes after the versions that the name has already.
    version.private["position"] = cloud.store.next_number()
    version.data["name"] = name
    version.data["timeModified"] = cloud.clock.timestamp()
    version.etag = version.data["etag"] = cloud.ids.uuid()


def _add(
    cloud: Cloud, bucket: Record, name: str, data: dict[str, Any], *, blob: str | None
) -> Record:
    _make_room(cloud, bucket, name)
    now = cloud.clock.timestamp()
    identifier, etag = cloud.ids.uuid(), cloud.ids.uuid()
    common = {
        "name": name,
        "bucket": bucket.id,
        "versionId": identifier,
        "isDeleteMarker": False,
        # A version that came while versioning was not on gives way to the next such one.
        "isKept": bucket.data["versioning"] == "Enabled",
        "etag": etag,
        "timeCreated": now,
        "timeModified": now,
    }
    private = {"blob": blob} if blob else {}
    record = cloud.store.add(OBJECT, identifier, {**common, **data}, etag=etag, private=private)
    names(cloud, bucket).add(name, record)
    return record


def _make_room(cloud: Cloud, bucket: Record, name: str) -> None:
    if bucket.data["versioning"] == "Enabled":
        return
    for version in list(history(cloud, bucket, name)):
        if not version.data["isKept"]:
            drop(cloud, bucket, version)
