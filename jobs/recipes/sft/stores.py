"""Where checkpoints lie: a folder of a bucket, or one that this machine can reach."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..buckets import Bucket, Stored


class Store(Protocol):
    """Named files; ``recipes.buckets.Bucket`` is one."""

    def uri(self, name: str = "") -> str:
        """Where a file lies, for people."""

    def list(self, folder: str = "") -> Iterator[Stored]:
        """The files whose names begin with ``folder``."""

    def read(self, name: str) -> bytes | None:
        """All of a small file; None where there is none."""

    def write(self, name: str, content: bytes) -> object:
        """Make a small file, all of it or nothing."""

    def upload(self, path: Path, name: str) -> str:
        """Put a file there; its SHA-256 in hex."""

    def download(self, name: str, path: Path) -> None:
        """Get a file; ``path`` appears when all of it is there."""

    def delete(self, name: str) -> None:
        """Delete a file; it is no mistake where there is none."""


def store_at(place: str) -> Store:
    """The store that ``--checkpoints`` names."""
    if "://" in place:
        return Bucket.at(place)
    return Folder(Path(place))


@dataclass(frozen=True)
class Folder:
    """A folder, perhaps a mounted bucket: files are written once, from start to end."""

    path: Path

    def uri(self, name: str = "") -> str:
        return str(self.path / name)

    def list(self, folder: str = "") -> Iterator[Stored]:
        for file in sorted(self.path.rglob("*")):
            name = file.relative_to(self.path).as_posix()
            if file.is_file() and name.startswith(folder):
                yield Stored(name, file.stat().st_size)

    def read(self, name: str) -> bytes | None:
        file = self.path / name
        return file.read_bytes() if file.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        self._make_parent(name).write_bytes(content)

    def upload(self, path: Path, name: str) -> str:
        shutil.copyfile(path, self._make_parent(name))
        return sha256_of(path)

    def download(self, name: str, path: Path) -> None:
        unfinished = path.with_name(f"{path.name}.part")
        shutil.copyfile(self.path / name, unfinished)
        unfinished.replace(path)

    def delete(self, name: str) -> None:
        file = self.path / name
        file.unlink(missing_ok=True)
        if file.parent != self.path and file.parent.is_dir() and not any(file.parent.iterdir()):
            file.parent.rmdir()

    def _make_parent(self, name: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
