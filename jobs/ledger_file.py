"""The SQLite file that a ledger lies in: its tables, its format, and one transaction at a time.

With a rollback journal, not a write-ahead log: that needs memory shared between processes, which a
home folder on NFS lacks, and cannot be read in a read-only folder. Readers go on while somebody
writes; they wait only for the moment of a commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import RecordError

FORMAT = 1
"""Of the tables below; a ledger of another one is refused."""

APPLICATION = 0x7475_6E65  # "tune": tells a ledger from any other SQLite file
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


class LedgerFile:
    """One ledger's file, which is made when it is first written to.

    *on_commit* is called after every change that is on the disk.
    """

    def __init__(self, path: Path, on_commit: Callable[[], None] | None = None) -> None:
        self.path = path
        self.on_commit = on_commit

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The tables, to look at.

        Raises:
            RecordError: no ledger, or one of another format.
        """
        if not self.path.is_file():
            with _empty() as database:
                yield database
            return
        with self._opened("rw") as database:  # not ro: what a killed writer left is rolled back
            if not _is_new(database):
                yield database
                return
        with _empty() as database:  # whoever made the file was killed before it had tables
            yield database

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, from its first statement on nobody else's, and on the disk at its end.

        Raises:
            RecordError: no ledger, or one of another format; or the disk takes no more.
        """
        with self._opened("rwc") as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                if _is_new(database):
                    _make(database)
                yield database
            except BaseException:
                if database.in_transaction:  # a full disk has rolled it back already
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        if self.on_commit is not None:
            self.on_commit()

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        try:
            if mode == "rwc":
                self.path.parent.mkdir(parents=True, exist_ok=True)
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            with _closing(sqlite3.connect(uri, timeout=_BUSY_SECONDS, uri=True)) as database:
                self._need_ledger(database)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise RecordError(
                f"The ledger {self.path} cannot be used: {error}.", _advice(error)
            ) from None

    def _need_ledger(self, database: sqlite3.Connection) -> None:
        """Raises :class:`RecordError` for another program's file, or another version's."""
        if _is_new(database):
            return
        if _pragma(database, "application_id") != APPLICATION:
            raise RecordError(
                f"{self.path} is a database, but no ledger of tunestack.",
                "Move it away to start anew; what runs in OCI is not touched by that.",
            )
        if (made := _pragma(database, "user_version")) != FORMAT:
            raise RecordError(
                f"The ledger {self.path} has format {made}; this version reads {FORMAT}.",
                "Use the version of tunestack that wrote it, or move it away to start anew.",
            )


@contextmanager
def _closing(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    database.row_factory = sqlite3.Row
    database.isolation_level = None  # transactions begin and end where they are written
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _empty() -> Iterator[sqlite3.Connection]:
    with _closing(sqlite3.connect(":memory:")) as database:
        database.executescript(_TABLES)
        yield database


def _is_new(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def _make(database: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {FORMAT}")


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


def _advice(error: Exception) -> str:
    said = str(error)
    if "locked" in said:
        return "Another process has been writing to it for long: see which, then try again."
    if isinstance(error, OSError) or any(each in said for each in ("full", "readonly", "unable")):
        return "Make room there, or make it writable, then run the same again: it goes on."
    return "Move it away to start anew; what runs in OCI is not touched by that."
