"""A bucket that is mounted: a folder of this machine, kept the same as the objects below a prefix.

As on OCI's hosts whole files go to the bucket: a file that was written goes there once nobody has
written to it for one look. Nothing of a file is sent before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
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
from .shared_folder import Look, SharedFolder

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
class _Same:
    """A file and the object whose content it is."""

    file: Look
    etag: str


class BucketFolder:
    """*folder*, and what is known of it."""

    def __init__(self, mount: Mount, folder: Path, changing: Changing) -> None:
        self.mount = mount
        self._folder = SharedFolder(folder)
        self._changing = changing
        self._same: dict[str, _Same] = {}
        self._looked: dict[str, Look] = {}
        self._told: set[str] = set()

    def sync(self, *, last: bool = False) -> list[str]:
        """Carry what changed over, both ways; what could not be, in words, each once.

        :param last: nobody writes to the folder any more: what was just written goes too.
        """
        problems: list[str] = []
        files: dict[str, Look] = {}
        for name, look in self._folder.files():
            if look is None:
                problems.append(f"{_shown(name)} is no plain file: a bucket can't have it")
            elif not _is_text(name):
                problems.append(f"{_shown(name)} is no UTF-8: a bucket can't have that name")
            else:
                files[name] = look
        for name, file in files.items():
            known = self._same.get(name)
            if (known is None or known.file != file) and (last or self._looked.get(name) == file):
                problems += self._send(name, file, last=last)
        self._looked = files
        for name in [name for name in self._same if name not in files]:
            problems += self._delete(name)
        problems += self._fetch()
        new = [problem for problem in dict.fromkeys(problems) if problem not in self._told]
        self._told.update(new)
        return new

    def _send(self, name: str, file: Look, *, last: bool) -> list[str]:
        with self._changing() as cloud:
            if reason := self._why_not(cloud, name):
                return [reason]
        try:
            body = self._read(name)
            if self._folder.look(name) != file:
                return []  # written to in between: next time
        except OSError as fault:
            # It may be on its way out just now.
            return [f"{name} can't be read, and is lost: {fault.strerror or fault}"] if last else []
        with self._changing() as cloud:
            reason, bucket = self._why_not(cloud, name), self._bucket(cloud)
            if reason or bucket is None:
                return [reason]
            headers = {"content-type": "application/octet-stream"}
            tier = str(bucket.data["storageTier"])
            content = versions.Content(body, headers=headers, storage_tier=tier)
            written = versions.write(cloud, bucket, self.mount.prefix + name, content)
            self._same[name] = _Same(file, written.etag)
        return []

    def _why_not(self, cloud: Cloud, name: str) -> str:
        """Why a file can't go to the bucket; empty where it can."""
        if self._bucket(cloud) is None:
            return f"bucket '{self.mount.bucket}' is gone: {name} is lost"
        try:
            check_object_name(self.mount.prefix + name)
        except ServiceError as fault:
            return fault.message
        return self._refused(cloud, "put_object", name) or ""

    def _read(self, name: str) -> Body:
        """:raises OSError: it can't be read, or there is no room for it."""
        with self._changing() as cloud:
            spool = cloud.blobs.spool()
        try:
            with self._folder.reading(name) as file:
                while piece := file.read(_PIECE):
                    spool.write(piece)
            return spool.finish()
        except OSError:
            spool.discard()
            raise

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

    def _fetch(self) -> list[str]:
        """What others put into the bucket, or took away, shows in the folder."""
        problems: list[str] = []
        present = self._objects()
        for name, (etag, body) in present.items():
            known = self._same.get(name)
            if known is None or known.etag != etag:
                try:
                    self._write(name, etag, body)
                except OSError as fault:
                    why = fault.strerror or fault
                    problems.append(f"object {name} can't be shown as a file: {why}")
        for name in [name for name in self._same if name not in present]:
            with suppress(OSError):  # the node may do so just now
                if self._folder.look(name) == self._same[name].file:
                    self._folder.remove(name)
                    self._looked.pop(name, None)
                    del self._same[name]
        return problems

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
        """:raises OSError: there is no room for it, or there can be no file of that name."""
        known = self._same.get(name)
        if known is None and not self._folder.is_free(name):
            return  # the folder's own file is newer: it is on its way to the bucket
        if known is not None and self._folder.look(name) not in (None, known.file):
            return
        # Beside the folder, on the same disk: nobody sees half a file.
        handle, made = tempfile.mkstemp(dir=self._folder.path.parent)
        draft = Path(made)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in body.pieces():
                    file.write(piece)
            draft.chmod(0o644)
            look = self._folder.put(draft, name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._same[name] = _Same(look, etag)
        self._looked[name] = look

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


def _is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, as an object's is."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: str) -> str:
    """A file's name for people, and for a log."""
    return name.encode("utf-8", "backslashreplace").decode()
