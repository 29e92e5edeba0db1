"""Delete an object with all its versions.

A model by reference demands a bucket with versioning. There a plain delete only hides the object:
every version of it stays, and is paid for. Checkpoints of tens of GB, deleted every hundred
steps, would add up to terabytes that nobody sees.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .bucket_errors import BucketError, telling


def delete_for_good(client: Any, place: tuple[str, str, str]) -> None:
    """Delete the object at *place* (namespace, bucket, name) and what versioning keeps of it.

    It is deleted when the first request has succeeded; that its versions may not be deleted is no
    failure. Raises ServiceError: it could not be deleted, or there is none.
    """
    answer = client.delete_object(*place)
    if str(answer.headers.get("is-delete-marker")).lower() == "true":  # else no versioning
        with suppress(BucketError), telling("delete versions"):
            _delete_versions(client, place)


def _delete_versions(client: Any, place: tuple[str, str, str]) -> None:
    import oci

    namespace, bucket, name = place
    found = oci.pagination.list_call_get_all_results(
        client.list_object_versions, namespace, bucket, prefix=name
    ).data
    for one in found:
        if one.name == name:
            client.delete_object(*place, version_id=one.version_id)
