"""A folder of a bucket: list, read, write and delete, whole and checked.

    checkpoints = Bucket.at("oci://finetuning@namespace/checkpoints/run-1")
    checkpoints.upload(Path("rank-0.pt"), "step-20/rank-0.pt")

Large objects go up and come down in parts, some at a time: at most :data:`WORKERS` + 1 parts are
in memory, whatever the object's size. An object appears when all of it is there, or not at all;
parts of an upload that fails are removed. What is uploaded carries its SHA-256 as metadata, and
what is downloaded is compared with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .ahead import ahead
from .bucket_errors import AbsentError, BucketError, telling
from .credentials import client
from .multipart import upload
from .object_versions import delete_for_good

__all__ = ["SHA256", "AbsentError", "Bucket", "BucketError", "Head", "Stored", "part_size"]

PART_SIZE = 64 * 1024**2
"""Bytes. Object Storage takes 10 MiB to 50 GiB a part and 10,000 parts an object: this reaches
625 GiB, and the part size grows with what is larger than that."""
MAX_PARTS = 10_000
WORKERS = 4
_ATTEMPTS = 5
SHA256 = "sha256"
"""The metadata entry (the header ``opc-meta-sha256``) with the SHA-256 of the object, in hex."""

_URI = re.compile(r"oci://(?P<bucket>[^@/]+)@(?P<namespace>[^@/]+)(?:/(?P<prefix>.*))?")


@dataclass(frozen=True)
class Stored:
    """An object as a listing tells of it: its name below the folder, its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Head:
    """What is known of an object without its bytes: size, ETag, and its metadata."""

    size: int
    etag: str
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Bucket:
    """A folder of a bucket. Names are relative to the folder, with ``/`` between their parts."""

    namespace: str
    bucket: str
    prefix: str
    client: Any = field(repr=False, compare=False)

    @classmethod
    def at(cls, uri: str, with_client: Any = None) -> Bucket:
        """The folder that *uri*, ``oci://bucket@namespace/folder``, names.

        Raises:
            ValueError: *uri* has another form.
            CredentialsError: there is nothing to sign requests with.
        """
        found = _URI.fullmatch(uri)
        if not found:
            raise ValueError(
                f"'{uri}' is no place in a bucket: write oci://BUCKET@NAMESPACE/FOLDER"
            )
        prefix = (found["prefix"] or "").strip("/")
        return cls(
            namespace=found["namespace"],
            bucket=found["bucket"],
            prefix=f"{prefix}/" if prefix else "",
            client=with_client or _client(),
        )

    def uri(self, name: str = "") -> str:
        """Where *name* lies, for people and for :meth:`at`."""
        return f"oci://{self.bucket}@{self.namespace}/{self.prefix}{name}"

    def list(self, folder: str = "") -> Iterator[Stored]:
        """The objects of this folder, or of *folder* in it, at any depth, by name."""
        import oci

        with telling(f"list {self.uri(folder)}"):
            found = oci.pagination.list_call_get_all_results_generator(
                self.client.list_objects,
                "response",
                self.namespace,
                self.bucket,
                prefix=self.prefix + folder,
                fields="name,size",
            )
            for page in found:
                for one in page.data.objects:
                    yield Stored(one.name.removeprefix(self.prefix), one.size)

    def head(self, name: str) -> Head | None:
        """Size, ETag and metadata of an object; None where there is none."""
        try:
            with telling(f"look at {self.uri(name)}"):
                answer = self.client.head_object(self.namespace, self.bucket, self.prefix + name)
        except AbsentError:
            return None
        return _head(answer.headers)

    def read(self, name: str) -> bytes | None:
        """All of a small object; None where there is none."""
        try:
            with telling(f"read {self.uri(name)}"):
                return self._get(name)
        except AbsentError:
            return None

    def write(self, name: str, content: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Make *content* the object *name*, in one request; its SHA-256 in hex."""
        digest = hashlib.sha256(content).hexdigest()
        known = {**(metadata or {}), SHA256: digest}
        with telling(f"write {self.uri(name)}"):
            self.client.put_object(
                self.namespace, self.bucket, self.prefix + name, content, opc_meta=known
            )
        return digest

    def delete(self, name: str) -> None:
        """Delete an object and its versions; it is no mistake where there is none."""
        with suppress(AbsentError), telling(f"delete {self.uri(name)}"):
            delete_for_good(self.client, (self.namespace, self.bucket, self.prefix + name))

    def upload(self, path: Path, name: str, metadata: Mapping[str, str] | None = None) -> str:
        """Upload the file at *path*; its SHA-256 in hex, which it carries as metadata.

        The file is read twice: what it carries must be known before its first part goes.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        self.upload_parts(
            name, _parts_of(path, part_size(size)), {**(metadata or {}), SHA256: digest}
        )
        return digest

    def upload_parts(
        self, name: str, parts: Iterable[bytes], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Upload what *parts* yield, each but the last of 10 MiB or more, as one object.

        If *parts* raise, a wrong checksum say, no object is made. Parts that an earlier,
        interrupted upload to the same name has left are removed first.
        """
        self.abort_uploads(name)
        with telling(f"upload {self.uri(name)}"):
            place = (self.namespace, self.bucket, self.prefix + name)
            upload(self.client, place, parts, metadata or {}, WORKERS)

    def download(self, name: str, path: Path) -> None:
        """Download an object to *path*, which appears when all of it is there.

        Raises:
            BucketError: there is none, it changed meanwhile, or its SHA-256 is not the one it
                carries.
        """
        about = self.head(name)
        if about is None:
            raise BucketError(f"there is no {self.uri(name)}")
        unfinished = path.with_name(f"{path.name}.part")
        try:
            with unfinished.open("wb") as file:
                digest = hashlib.sha256()
                for part in self._download_parts(name, about):
                    digest.update(part)
                    file.write(part)
            if about.metadata.get(SHA256, digest.hexdigest()) != digest.hexdigest():
                raise BucketError(
                    f"{self.uri(name)} is damaged: its SHA-256 is {digest.hexdigest()}, "
                    f"it should be {about.metadata[SHA256]}. Upload it again"
                )
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def abort_uploads(self, name: str) -> int:
        """Remove the parts of uploads to *name* that never ended; how many uploads those were."""
        import oci

        full = self.prefix + name
        with telling(f"look for interrupted uploads of {self.uri(name)}"):
            uploads = oci.pagination.list_call_get_all_results(
                self.client.list_multipart_uploads, self.namespace, self.bucket
            ).data
            ours = [one for one in uploads if one.object == full]
            for one in ours:
                self.client.abort_multipart_upload(self.namespace, self.bucket, full, one.upload_id)
        return len(ours)

    def _download_parts(self, name: str, about: Head) -> Iterator[bytes]:
        def fetch(start: int) -> bytes:
            end = min(start + PART_SIZE, about.size) - 1
            with telling(f"download {self.uri(name)}"):
                return self._get(name, range=f"bytes={start}-{end}", if_match=about.etag)

        return ahead(fetch, range(0, about.size, PART_SIZE), WORKERS)

    def _get(self, name: str, **how: str) -> bytes:
        """The SDK tries a request again, but not a body that broke off: that is done here."""
        from oci._vendor.requests import RequestException

        for attempt in range(1, _ATTEMPTS + 1):
            answer = self.client.get_object(
                self.namespace, self.bucket, self.prefix + name, **how
            ).data
            try:
                content = bytes(answer.content)
            except RequestException:
                if attempt == _ATTEMPTS:
                    raise
                continue
            if len(content) == int(answer.headers["content-length"]):
                return content
        raise BucketError(f"{self.uri(name)} broke off {_ATTEMPTS} times before its end")


def part_size(size: int) -> int:
    """Bytes a part for an object of *size* bytes."""
    return max(PART_SIZE, -(-size // MAX_PARTS))


def _parts_of(path: Path, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(length), b"")


def _client() -> Any:
    from oci.object_storage import ObjectStorageClient

    return client(ObjectStorageClient)


def _head(headers: Mapping[str, str]) -> Head:
    metadata = {
        name.lower().removeprefix("opc-meta-"): text
        for name, text in headers.items()
        if name.lower().startswith("opc-meta-")
    }
    return Head(int(headers["content-length"]), headers["etag"], metadata)
