"""Bodies that a state file keeps: small ones as its rows, large ones as files beside it."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

from ..wire.body import PIECE, Body, InFile, InMemory, Segment
from .blobs import Blobs


class InRow:
    """A segment that is a row of the state file. The row goes after its last body has gone."""

    __slots__ = ("__weakref__", "_db", "name", "size")

    def __init__(self, db: sqlite3.Connection, name: int, size: int, gone: list[int]) -> None:
        self._db = db
        self.name = name
        self.size = size
        weakref.finalize(self, gone.append, name).atexit = False

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        found = self._db.execute("SELECT body FROM segments WHERE name = ?", (self.name,))
        data: bytes = found.fetchone()[0]
        if (first, end) == (0, self.size) and end <= PIECE:
            yield data
            return
        yield from InMemory(data).pieces(first, end)


class StoredBlobs(Blobs):
    """:class:`Blobs` in the tables ``blobs`` and ``segments``, and in *folder*.

    Whoever still reads a body that was dropped can do so to its end: rows and files go once nobody
    holds them any more, and never before the transaction that dropped them is written. What a
    killed process left behind so is swept at the next load.
    """

    def __init__(self, db: sqlite3.Connection, begin: Callable[[], None], folder: Path) -> None:
        super().__init__()
        self._db = db
        self._begin = begin
        self._folder = folder
        self._last_row = 0
        self._dropped: list[Body] = []
        self._rows_gone: list[int] = []

    def folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def drop(self, key: str) -> None:
        body = self._bodies.pop(key, None)
        if body is not None:
            self._begin()
            self._db.execute("DELETE FROM blobs WHERE key = ?", (key,))
            self._dropped.append(body)

    def sweep(self) -> None:
        """Delete the rows that nobody holds any more."""
        if self._rows_gone:
            self._begin()
            gone, self._rows_gone[:] = list(self._rows_gone), []
            self._db.executemany("DELETE FROM segments WHERE name = ?", [(n,) for n in gone])

    def settle(self) -> None:
        """What was dropped is written down as such: let go of it."""
        self._dropped.clear()

    def load(self) -> None:
        """Take over what the file holds, in place of what is held now."""
        held = (*self._bodies.values(), *self._dropped)
        # Each row and each file has one owner, which may be here already.
        known: dict[tuple[str, int | str], Segment] = {
            _described(segment)[:2]: segment
            for body in held
            for segment in body.segments
            if not isinstance(segment, InMemory)
        }
        self._bodies = {}
        for key, segments in self._db.execute("SELECT key, segments FROM blobs").fetchall():
            parts = []
            for place, name, size in json.loads(segments):
                if (place, name) not in known:
                    known[place, name] = self._segment(place, name, size)
                parts.append(known[place, name])
            self._bodies[key] = Body(tuple(parts))
            self.last = max(self.last, int(key.removeprefix("blob")))
        self.settle()

    def leave(self) -> None:
        """Own the files no longer: they stay when this object goes."""
        for body in self._bodies.values():
            for segment in body.segments:
                if isinstance(segment, InFile):
                    segment.unlink.detach()

    def missing(self) -> list[Path]:
        """The files of bodies that are not there, or not whole."""
        found = {
            segment.path: segment.size
            for body in self._bodies.values()
            for segment in body.segments
            if isinstance(segment, InFile)
        }
        return sorted(
            path
            for path, size in found.items()
            if not path.is_file() or path.stat().st_size != size
        )

    def sweep_leftovers(self) -> None:
        """Delete the rows and files that a killed process left behind, which no body has."""
        known = {
            _described(segment)[:2] for body in self._bodies.values() for segment in body.segments
        }
        rows = [name for (name,) in self._db.execute("SELECT name FROM segments")]
        self._last_row = max(rows, default=0)
        self._rows_gone.extend(name for name in rows if ("row", name) not in known)
        self.sweep()
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if ("file", path.name) not in known:
                    path.unlink()

    def _keep(self, key: str, body: Body) -> None:
        super()._keep(key, body)
        self._begin()
        stored = Body(
            tuple(self._stored(segment) for segment in self._bodies[key].segments),
            digests=dict(body.digests),
        )
        self._bodies[key] = stored
        described = json.dumps([_described(segment) for segment in stored.segments])
        self._db.execute("INSERT INTO blobs VALUES (?, ?)", (key, described))

    def _stored(self, segment: Segment) -> Segment:
        if not isinstance(segment, InMemory):
            return segment
        self._last_row += 1
        row = (self._last_row, segment.data)
        self._db.execute("INSERT INTO segments VALUES (?, ?)", row)
        return InRow(self._db, self._last_row, segment.size, self._rows_gone)

    def _segment(self, place: str, name: int | str, size: int) -> Segment:
        if place == "row":
            return InRow(self._db, int(name), size, self._rows_gone)
        return InFile(self._folder / str(name), size)


def _described(segment: Segment) -> tuple[str, int | str, int]:
    if isinstance(segment, InRow):
        return "row", segment.name, segment.size
    assert isinstance(segment, InFile)
    return "file", segment.path.name, segment.size
