"""The folders that the hub serves, as the repositories of its API."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = {"models": "model", "datasets": "dataset"}
"""As paths of the API name them, and as sentences do."""

# What the real hub keeps in its large-file store: these, and all above 10 MB.
_LARGE_SUFFIXES = frozenset({".safetensors", ".bin", ".model", ".parquet", ".arrow"})
_LARGE = 10_000_000  # bytes

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"


@dataclass(frozen=True)
class File:
    """A file of a repository, with both of its checksums in hex."""

    name: str
    path: Path
    size: int
    sha256: str
    git_sha1: str

    @property
    def is_large(self) -> bool:
        return self.size > _LARGE or self.path.suffix in _LARGE_SUFFIXES

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.git_sha1

    def listed(self, name_key: str) -> dict[str, Any]:
        """Its entry in an answer; ``rfilename`` and ``path`` are the names of its name."""
        if not self.is_large:
            return {name_key: self.name, "size": self.size, self._id(name_key): self.git_sha1}
        pointer = _POINTER.format(sha256=self.sha256, size=self.size).encode()
        large: dict[str, Any] = {"size": self.size, "pointerSize": len(pointer)}
        large[{"rfilename": "sha256", "path": "oid"}[name_key]] = self.sha256
        return {
            name_key: self.name,
            "size": self.size,
            self._id(name_key): _git_sha1(pointer),
            "lfs": large,
        }

    @staticmethod
    def _id(name_key: str) -> str:
        return {"rfilename": "blobId", "path": "oid"}[name_key]


@dataclass(frozen=True)
class Repository:
    """A model or a data set: its kind as the API's paths name it, its files by name."""

    kind: str
    name: str
    commit: str
    files: dict[str, File]


class Repositories:
    """All of a folder; a repository is read once, and stays what it then was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[str, str], Repository] = {}
        self._lock = threading.Lock()

    def find(self, kind: str, name: str) -> Repository | None:
        folder = self._folder / kind / name
        if ".." in folder.parts or not folder.is_dir():
            return None
        with self._lock:
            if (kind, name) not in self._read:
                self._read[kind, name] = _repository(kind, name, folder)
            return self._read[kind, name]


def _repository(kind: str, name: str, folder: Path) -> Repository:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {(file := _file(folder, path)).name: file for path in paths}
    listing = "".join(f"{file.git_sha1} {file.name}\n" for file in files.values())
    commit = hashlib.sha1(listing.encode(), usedforsecurity=False).hexdigest()
    return Repository(kind, name, commit, files)


def _file(folder: Path, path: Path) -> File:
    size = path.stat().st_size
    digests = (hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False))
    with path.open("rb") as opened:
        for chunk in iter(lambda: opened.read(1024**2), b""):
            for digest in digests:
                digest.update(chunk)
    name = path.relative_to(folder).as_posix()
    return File(name, path, size, digests[0].hexdigest(), digests[1].hexdigest())


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
