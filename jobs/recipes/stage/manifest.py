"""``tunestack-stage.json``: what was staged, from where, and what it must look like.

It is written when all else is there, so that a folder with it is whole.

    manifest = check(Path("/mnt/base"))
    manifest.repo, manifest.commit
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = "tunestack-stage.json"
_FORMAT = 1


class ManifestError(Exception):
    """A folder is not what was staged; the message says in what, and what to do."""


@dataclass(frozen=True)
class StagedFile:
    """A file: its name below the folder, its size in bytes, its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A model or a data set of the hub, as it lies in the bucket.

    :param kind: ``model`` or ``dataset``.
    :param revision: what was asked for: a branch, a tag, a commit.
    :param commit: what that was then.
    :param settings: what else decided what is in the files; a run with other ones stages anew.
    :param facts: for people: the rows of each split, say.
    """

    kind: str
    repo: str
    revision: str
    commit: str
    files: tuple[StagedFile, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=2).encode()

    @classmethod
    def from_json(cls, content: bytes, where: str) -> Manifest:
        """
        Raises:
            ManifestError: *content* is no manifest; *where* is for its message.
        """
        try:
            known = json.loads(content)
            if known.pop("format") != _FORMAT:
                raise ManifestError(f"{where} is of another version of the recipes: stage it again")
            files = tuple(StagedFile(**one) for one in known.pop("files"))
            return cls(files=files, **known)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"{where} can't be read ({error}): stage it again") from None


def find(folder: Path) -> Manifest | None:
    """The manifest of *folder*; None where it was not staged by ``recipes.stage``.

    Raises:
        ManifestError: it is damaged.
    """
    path = folder / NAME
    return Manifest.from_json(path.read_bytes(), str(path)) if path.is_file() else None


def check(folder: Path, *, read_all: bool = False) -> Manifest:
    """The manifest of *folder*, whose files are all there and as long as they should be.

    :param read_all: compare each file's SHA-256 too, which reads them all.

    Raises:
        ManifestError: there is none, or a file is missing or another one.
    """
    manifest = find(folder)
    if manifest is None:
        raise ManifestError(
            f"there is no {NAME} in {folder}: the stage job has not run, or not to its end"
        )
    for file in manifest.files:
        _check(folder / file.name, file, read_all)
    return manifest


def _check(path: Path, file: StagedFile, read_all: bool) -> None:
    if not path.is_file():
        raise ManifestError(f"{path} is missing; {NAME} lists it. Run the stage job again")
    if (size := path.stat().st_size) != file.size:
        raise ManifestError(
            f"{path} has {size:,} bytes, it should have {file.size:,}. Run the stage job again"
        )
    if not read_all:
        return
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != file.sha256:
        raise ManifestError(
            f"{path} is damaged: its SHA-256 is {digest}, it should be {file.sha256}. "
            "Delete it and run the stage job again"
        )
