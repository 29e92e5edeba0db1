"""The service, its errors, and what its modules share."""

from __future__ import annotations

import re

from ...service import Call, Service
from ...store import Record
from ...wire.errors import BucketNotFound, InvalidBucketName, InvalidObjectName, NamespaceNotFound

SERVICE = Service(
    "objectstorage",
    ("oci.object_storage.ObjectStorageClient",),
    labels=("objectstorage",),
)

BUCKET = "bucket"
OBJECT = "object"
UPLOAD = "multipartupload"
PART = "multipartuploadpart"

# Letters, digits, dash, underscore, period. Source: OCI documentation, "Managing Buckets".
_BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")
# 1024 bytes of UTF-8, no line feed, carriage return or NUL. Source: "Managing Objects".
_OBJECT_NAME_BYTES = 1024
_NOT_IN_OBJECT_NAME = re.compile("[\r\n\0]")


def check_namespace(call: Call) -> None:
    """:raises NamespaceNotFound: the path names another tenancy's namespace."""
    if call.path["namespaceName"] != call.cloud.settings.namespace:
        raise NamespaceNotFound(
            f"namespace '{call.path['namespaceName']}' does not exist or you are not authorized; "
            f"this tenancy's is '{call.cloud.settings.namespace}'"
        )


def bucket_key(region: str, name: str) -> str:
    """Under which a bucket lies in the store: a namespace has its names once per region."""
    return f"{region}/{name}"


def find_bucket(call: Call, name: str | None = None, region: str | None = None) -> Record:
    """The bucket that the path names, or *name*.

    :raises NamespaceNotFound, BucketNotFound: as OCI answers.
    """
    check_namespace(call)
    wanted = name or call.path["bucketName"]
    found = call.cloud.store.find(BUCKET, bucket_key(region or call.region, wanted))
    if found is None:
        raise BucketNotFound(
            f"Either the bucket named '{wanted}' does not exist in the namespace "
            f"'{call.path['namespaceName']}' or you are not authorized to access it"
        )
    return found


def check_bucket_name(name: str) -> None:
    if not _BUCKET_NAME.fullmatch(name):
        raise InvalidBucketName(
            f"bucket name '{name}': 1 to 256 letters, digits, dashes, underscores and periods"
        )


def check_object_name(name: str) -> None:
    if _NOT_IN_OBJECT_NAME.search(name) or not 1 <= len(name.encode()) <= _OBJECT_NAME_BYTES:
        raise InvalidObjectName(
            f"object name '{name[:80]}': 1 to {_OBJECT_NAME_BYTES} bytes of UTF-8 "
            "without line feed, carriage return or NUL"
        )
