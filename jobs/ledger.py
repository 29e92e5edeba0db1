"""The ledger: all that was run for a tenancy, written down before and after it happens.

A SQLite file. Its pipelines are numbered; the newest is the current one, and what :meth:`read` and
:meth:`put` speak of. Every change is one transaction, synchronous: whoever is killed between two of
them finds the last one whole. The events of a pipeline are only ever added to.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import Clock
from .ledger_file import LedgerFile
from .record import STEPS, Entry, Run, as_data, entry_of

_OCID = re.compile(r"ocid1\.[a-z0-9.]+[A-Za-z0-9._-]+")


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
    """The ledger in a file, which is made when it is first written to. Also a ``Records``.

    *on_commit* is called after every change that is on the disk. All methods raise
    :class:`RecordError` for a file that is no ledger, or one of another format, and for a disk
    that takes no more.
    """

    def __init__(
        self, path: Path, clock: Clock, on_commit: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._clock = clock
        self.file = LedgerFile(path, on_commit)

    def begin(self, fingerprint: str, generation: int = 0) -> PipelineRecord:
        """A new pipeline, the current one from now on; it begins with the last one's entries."""
        began = self._clock.now()
        with self.file.writing() as database:
            before = _current(database)
            cursor = database.execute(
                "INSERT INTO pipelines (fingerprint, generation, began, state) VALUES (?, ?, ?, ?)",
                (fingerprint, generation, began.isoformat(), "RUNNING"),
            )
            number = int(cursor.lastrowid or 0)
            # What stands in OCI stands, whether the new pipeline takes it over or replaces it.
            database.execute(
                "INSERT INTO entries SELECT ?, step, entry FROM entries WHERE pipeline = ?",
                (number, before),
            )
        return PipelineRecord(number, fingerprint, generation, began, None, "RUNNING")

    def end(self, state: str) -> None:
        """The current pipeline is over."""
        self._set(state, self._clock.now().isoformat())

    def reopen(self) -> None:
        """The current pipeline goes on."""
        self._set("RUNNING", None)

    def _set(self, state: str, ended: str | None) -> None:
        with self.file.writing() as database:
            database.execute(
                "UPDATE pipelines SET state = ?, ended = ? WHERE number = ?",
                (state, ended, _current(database)),
            )

    def current(self) -> PipelineRecord | None:
        """The newest pipeline."""
        return next(iter(self.pipelines()), None)

    def pipelines(self) -> list[PipelineRecord]:
        """All of them, the newest first."""
        with self.file.reading() as database:
            rows = database.execute("SELECT * FROM pipelines ORDER BY number DESC").fetchall()
        return [_pipeline(row) for row in rows]

    def read(self, pipeline: int | None = None) -> Run:
        """The entries of a pipeline, the current one's by default."""
        with self.file.reading() as database:
            number = _current(database) if pipeline is None else pipeline
            rows = database.execute(
                "SELECT step, entry FROM entries WHERE pipeline = ?", (number,)
            ).fetchall()
        found = {row["step"]: entry_of(json.loads(row["entry"])) for row in rows}
        return Run({step: found[step] for step in STEPS if step in found})

    def put(self, entry: Entry) -> None:
        """Keep *entry* as its step's in the current pipeline; an earlier one is replaced."""
        data = as_data(Run({entry.step: entry}))[entry.step]
        with self.file.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO entries (pipeline, step, entry) VALUES (?, ?, ?)",
                (self._number(database), entry.step, json.dumps(data)),
            )

    def forget(self, step: str) -> None:
        """Drop the step's entry from the current pipeline, if there is one."""
        with self.file.writing() as database:
            dropped = database.execute(
                "DELETE FROM entries WHERE pipeline = ? AND step = ?", (_current(database), step)
            )
            if dropped.rowcount:
                self._note(database, "forgotten", step, {})

    def note(self, name: str, step: str = "", **details: Any) -> None:
        """Add an event to the current pipeline."""
        with self.file.writing() as database:
            self._note(database, name, step, details)

    def events(self, pipeline: int | None = None) -> list[Event]:
        """The events of a pipeline, the current one's by default, in their order."""
        with self.file.reading() as database:
            number = _current(database) if pipeline is None else pipeline
            rows = database.execute(
                "SELECT * FROM events WHERE pipeline = ? ORDER BY number", (number,)
            ).fetchall()
        return [_event(row) for row in rows]

    def events_of(self, step: str) -> list[Event]:
        """The events of a step in all pipelines, in their order."""
        with self.file.reading() as database:
            rows = database.execute(
                "SELECT * FROM events WHERE step = ? ORDER BY number", (step,)
            ).fetchall()
        return [_event(row) for row in rows]

    def known(self) -> frozenset[str]:
        """Every OCID that was ever written down, in an entry or an event."""
        with self.file.reading() as database:
            rows = database.execute(
                "SELECT entry FROM entries UNION SELECT details FROM events"
            ).fetchall()
        return frozenset(ocid for row in rows for ocid in _OCID.findall(row[0]))

    def _note(
        self, database: sqlite3.Connection, name: str, step: str, details: Mapping[str, Any]
    ) -> None:
        at = self._clock.now().isoformat()
        database.execute(
            "INSERT INTO events (pipeline, at, step, name, details) VALUES (?, ?, ?, ?, ?)",
            (self._number(database), at, step, name, json.dumps(details)),
        )

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
