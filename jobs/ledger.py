"""The ledger: all that was run for a tenancy, written down before and after it happens.

A SQLite file. Its pipelines are numbered; the newest is the current one, and what :meth:`read` and
:meth:`put` speak of. Every change is one transaction, synchronous: whoever is killed between two of
them finds the last one whole. The events of a pipeline are only ever added to.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import Clock
from .errors import RecordError
from .record import STEPS, Entry, Run, as_data, entry_of

FORMAT = 1
_BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pipelines (
    number INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    generation INTEGER NOT NULL,
    began TEXT NOT NULL,
    ended TEXT,
    state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (
    pipeline INTEGER NOT NULL REFERENCES pipelines(number),
    step TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (pipeline, step)
);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    pipeline INTEGER NOT NULL REFERENCES pipelines(number),
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    name TEXT NOT NULL,
    details TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class PipelineRecord:
    """One pipeline. *generation* counts the times that a fresh start was asked for; *state* is
    RUNNING, SUCCEEDED, FAILED or CANCELED."""

    number: int
    fingerprint: str
    generation: int
    began: datetime
    ended: datetime | None
    state: str


@dataclass(frozen=True)
class Event:
    """Something that was about to happen, or had happened; *step* is '' for the whole pipeline."""

    number: int
    pipeline: int
    at: datetime
    step: str
    name: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Ledger:
    """The ledger in a file, which is made when it is first written to. Also a ``Records``."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    def begin(self, fingerprint: str, generation: int = 0) -> PipelineRecord:
        """A new pipeline, the current one from now on."""
        began = self._clock.now()
        with self._writing() as database:
            cursor = database.execute(
                "INSERT INTO pipelines (fingerprint, generation, began, state) VALUES (?, ?, ?, ?)",
                (fingerprint, generation, began.isoformat(), "RUNNING"),
            )
            return PipelineRecord(
                int(cursor.lastrowid or 0), fingerprint, generation, began, None, "RUNNING"
            )

    def end(self, state: str) -> None:
        """The current pipeline is over."""
        with self._writing() as database:
            database.execute(
                "UPDATE pipelines SET state = ?, ended = ? WHERE number = ?",
                (state, self._clock.now().isoformat(), _current(database)),
            )

    def current(self) -> PipelineRecord | None:
        """The newest pipeline."""
        return next(iter(self.pipelines()), None)

    def pipelines(self) -> list[PipelineRecord]:
        """All of them, the newest first."""
        with self._reading() as database:
            rows = database.execute("SELECT * FROM pipelines ORDER BY number DESC").fetchall()
        return [_pipeline(row) for row in rows]

    def read(self, pipeline: int | None = None) -> Run:
        """The entries of a pipeline, the current one's by default."""
        with self._reading() as database:
            number = _current(database) if pipeline is None else pipeline
            rows = database.execute(
                "SELECT step, entry FROM entries WHERE pipeline = ?", (number,)
            ).fetchall()
        found = {row["step"]: entry_of(json.loads(row["entry"])) for row in rows}
        return Run({step: found[step] for step in STEPS if step in found})

    def put(self, entry: Entry) -> None:
        """Keep *entry* as its step's in the current pipeline; an earlier one is replaced."""
        data = as_data(Run({entry.step: entry}))[entry.step]
        with self._writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO entries (pipeline, step, entry) VALUES (?, ?, ?)",
                (self._number(database), entry.step, json.dumps(data)),
            )

    def forget(self, step: str) -> None:
        """Drop the step's entry from the current pipeline, if there is one."""
        with self._writing() as database:
            database.execute(
                "DELETE FROM entries WHERE pipeline = ? AND step = ?", (_current(database), step)
            )

    def note(self, name: str, step: str = "", **details: Any) -> None:
        """Add an event to the current pipeline."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO events (pipeline, at, step, name, details) VALUES (?, ?, ?, ?, ?)",
                (
                    self._number(database),
                    self._clock.now().isoformat(),
                    step,
                    name,
                    json.dumps(details),
                ),
            )

    def events(self, pipeline: int | None = None) -> list[Event]:
        """The events of a pipeline, the current one's by default, in their order."""
        with self._reading() as database:
            number = _current(database) if pipeline is None else pipeline
            rows = database.execute(
                "SELECT * FROM events WHERE pipeline = ? ORDER BY number", (number,)
            ).fetchall()
        return [_event(row) for row in rows]

    def _number(self, database: sqlite3.Connection) -> int:
        """The current pipeline's number; the first one is made for a step submitted by itself."""
        number = _current(database)
        if number:
            return number
        cursor = database.execute(
            "INSERT INTO pipelines (fingerprint, generation, began, state) VALUES ('', 0, ?, ?)",
            (self._clock.now().isoformat(), "RUNNING"),
        )
        return int(cursor.lastrowid or 0)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            with _closing(sqlite3.connect(":memory:")) as database:
                database.executescript(_TABLES)
                yield database
            return
        with self._opened() as database:
            yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, from its first statement on nobody else's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with _closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.executescript(_TABLES)
                yield database
        except sqlite3.DatabaseError as error:
            raise RecordError(
                f"The ledger {self.path} cannot be used: {error}.",
                "Move it away to start anew; what runs in OCI is not touched by that.",
            ) from None


@contextmanager
def _closing(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    database.row_factory = sqlite3.Row
    database.isolation_level = None  # transactions begin and end where they are written
    try:
        yield database
    finally:
        database.close()


def _current(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT MAX(number) FROM pipelines").fetchone()
    return int(row[0] or 0)


def _pipeline(row: sqlite3.Row) -> PipelineRecord:
    ended = row["ended"]
    return PipelineRecord(
        number=row["number"],
        fingerprint=row["fingerprint"],
        generation=row["generation"],
        began=datetime.fromisoformat(row["began"]),
        ended=datetime.fromisoformat(ended) if ended else None,
        state=row["state"],
    )


def _event(row: sqlite3.Row) -> Event:
    return Event(
        number=row["number"],
        pipeline=row["pipeline"],
        at=datetime.fromisoformat(row["at"]),
        step=row["step"],
        name=row["name"],
        details=json.loads(row["details"]),
    )
