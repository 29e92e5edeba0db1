"""A bucket that is mounted: a folder of this machine, kept the same as the objects below a prefix.

As on OCI's hosts whole files go to the bucket: a file that was written goes there once nobody has
written to it for one look. Nothing of a file is sent before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ...acts import refusal
from ...cloud import Cloud
from ...iam.principals import Principal
from ...store import Record
from ...wire.body import Body
from ...wire.errors import ServiceError
from ..objectstorage import versions
from ..objectstorage.acts import on_bucket
from ..objectstorage.base import BUCKET, bucket_key, check_object_name
from ..objectstorage.names import behind

Changing = Callable[[], AbstractContextManager[Cloud]]
"""A transaction on the cloud, for as long as the resource is there for which the mount is made."""

_PIECE = 1024 * 1024  # bytes


@dataclass(frozen=True)
class Mount:
    """Objects below *prefix* (with its slash, or empty) of *bucket* in *region*, for *who*."""

    region: str
    bucket: str
    prefix: str
    who: Principal


@dataclass(frozen=True)
class _File:
    """A file as it looks: another look tells whether it was written to."""

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> _File:
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class _Same:
    """A file and the object whose content it is."""

    file: _File
    etag: str


class BucketFolder:
    """*folder*, and what is known of it."""

    def __init__(self, mount: Mount, folder: Path, changing: Changing) -> None:
        self.mount = mount
        self.folder = folder
        self._changing = changing
        self._same: dict[str, _Same] = {}
        self._looked: dict[str, _File] = {}
        self._told: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def sync(self, *, last: bool = False) -> list[str]:
        """Carry what changed over, both ways; what could not be, in words, each once.

        :param last: nobody writes to the folder any more: what was just written goes too.
        """
        problems: list[str] = []
        files = dict(self._files())
        for name, file in files.items():
            known = self._same.get(name)
            if (known is None or known.file != file) and (last or self._looked.get(name) == file):
                problems += self._send(name, file)
        self._looked = files
        for name in [name for name in self._same if name not in files]:
            problems += self._delete(name)
        self._fetch()
        new = [problem for problem in problems if problem not in self._told]
        self._told.update(new)
        return new

    def _files(self) -> Iterator[tuple[str, _File]]:
        for parent, _, names in os.walk(self.folder):
            for name in names:
                path = Path(parent, name)
                try:
                    if path.is_file():
                        yield path.relative_to(self.folder).as_posix(), _File.of(path)
                except OSError:
                    continue  # it went in between

    def _send(self, name: str, file: _File) -> list[str]:
        path = self.folder / name
        try:
            body = self._read(path)
            if _File.of(path) != file:
                return []  # written to in between: next time
        except OSError:
            return []
        with self._changing() as cloud:
            bucket = self._bucket(cloud)
            reason = self._refused(cloud, "put_object", name)
            if bucket is None or reason:
                return [reason or f"bucket '{self.mount.bucket}' is gone: {name} is lost"]
            try:
                check_object_name(self.mount.prefix + name)
            except ServiceError as fault:
                return [fault.message]
            headers = {"content-type": "application/octet-stream"}
            tier = str(bucket.data["storageTier"])
            content = versions.Content(body, headers=headers, storage_tier=tier)
            written = versions.write(cloud, bucket, self.mount.prefix + name, content)
            self._same[name] = _Same(file, written.etag)
        return []

    def _read(self, path: Path) -> Body:
        with self._changing() as cloud:
            spool = cloud.blobs.spool()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                spool.write(piece)
        return spool.finish()

    def _delete(self, name: str) -> list[str]:
        known = self._same.pop(name)
        with self._changing() as cloud:
            bucket = self._bucket(cloud)
            if bucket is None:
                return []
            present = versions.latest(cloud, bucket, self.mount.prefix + name)
            # Somebody else may have written it anew, or deleted it before.
            if present is None or present.etag != known.etag:
                return []
            if reason := self._refused(cloud, "delete_object", name):
                return [reason]
            if bucket.data["versioning"] == "Disabled":
                versions.drop(cloud, bucket, present)
            else:
                versions.mark_deleted(cloud, bucket, self.mount.prefix + name)
        return []

    def _fetch(self) -> None:
        """What others put into the bucket, or took away, shows in the folder."""
        present = self._objects()
        for name, (etag, body) in present.items():
            known = self._same.get(name)
            if known is None or known.etag != etag:
                self._write(name, etag, body)
        for name in [name for name in self._same if name not in present]:
            path = self.folder / name
            if path.is_file() and _File.of(path) == self._same[name].file:
                path.unlink()
                self._looked.pop(name, None)
                del self._same[name]

    def _objects(self) -> dict[str, tuple[str, Body]]:
        """Etag and body of each object, by its name below the prefix."""
        prefix = self.mount.prefix
        with self._changing() as cloud:
            bucket = self._bucket(cloud)
            if bucket is None:
                return {}
            names = versions.names(cloud, bucket)
            present = names.newest_between(names.place(prefix), names.place(behind(prefix)))
            found: dict[str, tuple[str, Body]] = {}
            for record in present:
                name = record.data["name"][len(prefix) :]
                if not record.data["isDeleteMarker"] and _is_file(name):
                    found[name] = (record.etag, cloud.blobs.get(record.private["blob"]))
            return found

    def _write(self, name: str, etag: str, body: Body) -> None:
        path = self.folder / name
        if path.exists() and name not in self._same:
            return  # the folder's own file is newer: it is on its way to the bucket
        if name in self._same and path.exists() and _File.of(path) != self._same[name].file:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return  # there is a file of the name of a folder
        # Beside the folder, on the same disk: nobody sees half a file.
        handle, draft = tempfile.mkstemp(dir=self.folder.parent)
        with os.fdopen(handle, "wb") as file:
            for piece in body.pieces():
                file.write(piece)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
        self._same[name] = _Same(_File.of(path), etag)
        self._looked[name] = self._same[name].file

    def _bucket(self, cloud: Cloud) -> Record | None:
        return cloud.store.find(BUCKET, bucket_key(self.mount.region, self.mount.bucket))

    def _refused(self, cloud: Cloud, operation: str, name: str) -> str | None:
        verb = operation.replace("_", " ")
        act = on_bucket(
            cloud,
            self.mount.who,
            self.mount.region,
            self.mount.bucket,
            operation,
            f"{verb} '{self.mount.prefix}{name}' in bucket '{self.mount.bucket}'",
            self.mount.prefix + name,
        )
        return refusal(cloud, self.mount.region, [act])


def _is_file(name: str) -> bool:
    """Whether a file can have that name: no marker of a folder, nothing that leads out."""
    parts = name.split("/")
    return bool(name) and not any(part in ("", ".", "..") for part in parts)
