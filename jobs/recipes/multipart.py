"""One object of many parts, of which none is left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from .ahead import ahead
from .bucket_errors import BucketError, telling


def upload(
    client: Any,
    place: tuple[str, str, str],
    parts: Iterable[bytes],
    metadata: Mapping[str, str],
    workers: int,
) -> None:
    """Make the object at *place* (namespace, bucket, name) of *parts*, *workers* at a time.

    Whatever ends it early, Ctrl-C too, what has gone up is removed: it would be paid for and never
    seen.
    """
    from oci.object_storage import models

    namespace, bucket, name = place
    details = models.CreateMultipartUploadDetails(
        object=name, metadata={f"opc-meta-{key}": text for key, text in metadata.items()}
    )
    begun = client.create_multipart_upload(namespace, bucket, details).data.upload_id

    def send(numbered: tuple[int, bytes]) -> Any:
        number, part = numbered
        answer = client.upload_part(*place, begun, number, part)
        return models.CommitMultipartUploadPartDetails(part_num=number, etag=answer.headers["etag"])

    try:
        sent = list(ahead(send, enumerate(parts, start=1), workers))
        whole = models.CommitMultipartUploadDetails(parts_to_commit=sent)
        client.commit_multipart_upload(*place, begun, whole)
    except BaseException:
        with suppress(BucketError), telling("clean up"):
            client.abort_multipart_upload(*place, begun)
        raise
