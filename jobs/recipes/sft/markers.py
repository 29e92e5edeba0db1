"""Which checkpoints are there: a checkpoint is one when its marker says so, and what it lists is.

A checkpoint is a folder ``step-00000100`` with a file or so of each rank. Its marker,
``checkpoint.json``, is written last and names every file with its size and SHA-256. What has no
marker is the remains of a save that did not end.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from .errors import SharedUsageError
from .stores import Store

MARKER = "checkpoint.json"
_NAME = re.compile(rf"(?P<folder>step-(?P<step>\d{{8}}))/{re.escape(MARKER)}")

Fingerprint = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file of a checkpoint: its name in the checkpoint's folder, its size in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Marker:
    """What a whole checkpoint says of itself."""

    step: int  # how many steps are done
    world: int  # ranks that wrote it
    fingerprint: Fingerprint
    progress: dict[str, float]
    files: tuple[File, ...]

    @property
    def folder(self) -> str:
        return folder_of(self.step)

    def file(self, name: str) -> File:
        """The file of that name.

        Raises:
            KeyError: the checkpoint has none.
        """
        for file in self.files:
            if file.name == name:
                return file
        raise KeyError(name)


def folder_of(step: int) -> str:
    return f"step-{step:08}"


def write(store: Store, marker: Marker) -> None:
    """Declare the checkpoint whole."""
    text = json.dumps(asdict(marker), indent=1)
    store.write(f"{marker.folder}/{MARKER}", text.encode())


def read(store: Store, step: int) -> Marker | None:
    """The marker of a step's checkpoint; None where it is damaged or gone."""
    content = store.read(f"{folder_of(step)}/{MARKER}")
    try:
        fields = json.loads(content or b"")
        files = tuple(File(**file) for file in fields.pop("files"))
        return Marker(files=files, **fields)
    except (ValueError, KeyError, TypeError):
        return None


def steps(store: Store) -> list[int]:
    """The steps whose checkpoints have a marker, the newest first."""
    found = (_NAME.fullmatch(one.name) for one in store.list("step-"))
    return sorted((int(one["step"]) for one in found if one), reverse=True)


def prune(store: Store, keep: int) -> None:
    """Delete all but the newest ``keep`` checkpoints, and what older saves left unfinished.

    The marker goes first, so that no half-deleted checkpoint looks whole.
    """
    whole = steps(store)
    if len(whole) < keep:
        return
    oldest_kept = folder_of(whole[keep - 1])
    old = [one.name for one in store.list("step-") if one.name.partition("/")[0] < oldest_kept]
    for name in sorted(old, key=lambda name: not name.endswith("/" + MARKER)):
        store.delete(name)


def refuse_other(marker: Marker, now: Fingerprint, where: str) -> None:
    """A run goes on only with what it began with.

    Raises:
        SharedUsageError: names what differs, as it was and as it is now.
    """
    was = marker.fingerprint
    names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    if not names:
        return
    said = "; ".join(f"{name} was {was.get(name)!r}, is {now.get(name)!r}" for name in names)
    raise SharedUsageError(
        f"the checkpoint {where} belongs to another run: {said}. Go on with what it was, or start "
        "anew: another place for --checkpoints, or --no-resume, which deletes those that are there"
    )
