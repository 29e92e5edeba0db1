"""``--state FILE``: what the mock holds, in a SQLite file that survives the end of the process.

All of it stays in memory too, and is read from there; the file is written once a call, in one
transaction, before the call is answered. So an answer that a client has seen is in the file, and a
call is in it whole or not at all. The file is in WAL mode with ``synchronous=NORMAL``: it survives
a ``kill -9`` of the mock at any moment; a power failure may cost the last calls, never the file.

Bodies above :data:`ocimock.wire.body.IN_MEMORY` bytes lie as files in the folder ``FILE.bodies``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import Event
from ..retry_tokens import FirstAnswer
from .records import Record
from .stored_blobs import StoredBlobs

if TYPE_CHECKING:
    from ..cloud import Cloud

# Of the tables and of the records in them. A file of another one is refused.
_FORMAT = 2

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
  kind TEXT, id TEXT, content TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE events (number INTEGER PRIMARY KEY, due REAL, name TEXT, subject TEXT);
CREATE TABLE retry_tokens (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (key TEXT PRIMARY KEY, segments TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (name INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""


class StateFileError(Exception):
    """The state file can't be used; the message says why, and what to do."""


class StateFile:
    """An open state file. One mock at a time can have it.

    :raises StateFileError: not a state file of this version, in use, or not to be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The hash of each record's content as the file has it.
        self._saved: dict[tuple[str, str], int] = {}
        self._counters = ""
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._prepare()
        self.blobs = StoredBlobs(self._db, self._begin, path.with_name(f"{path.name}.bodies"))

    def files(self) -> tuple[Path, ...]:
        """All that it is: the file itself, what SQLite keeps beside it, the bodies."""
        names = ("", "-wal", "-shm", ".bodies")
        return tuple(self.path.with_name(self.path.name + name) for name in names)

    def load(self, cloud: Cloud) -> bool:
        """Fill *cloud* with what the file holds; False where it is new.

        :raises StateFileError: it is of a mock with other identifiers, or bodies are missing.
        """
        identity = json.dumps([cloud.settings.tenancy_id, cloud.settings.namespace])
        with self._explained():
            found = dict(self._db.execute("SELECT name, value FROM meta"))
            self._watch(cloud)
            if "identity" not in found:
                self._begin()
                self._db.execute("INSERT INTO meta VALUES ('identity', ?)", (identity,))
                return False
            if found["identity"] != identity:
                raise StateFileError(
                    f"{self.path} is the state of tenancy and namespace {found['identity']}, not "
                    f"of {identity}; name another file"
                )
            self._restore(cloud)
            self._require_bodies()
            self.blobs.sweep_leftovers()
        return True

    @contextmanager
    def kept(self, cloud: Cloud) -> Iterator[None]:
        """What the block changes in *cloud* goes into the file, also where it fails.

        :raises StateFileError: the file can't be written. Then nothing of it is in *cloud* either.
        """
        with self._all_or_nothing(cloud):
            cloud.store.watch()
            try:
                yield
            except (sqlite3.Error, StateFileError):
                raise
            except BaseException:
                self._save(cloud)
                raise
            self._save(cloud)

    @contextmanager
    def renewed(self, cloud: Cloud) -> Iterator[None]:
        """The file is empty for the block, in which another mock begins that takes *cloud*'s place.

        :raises StateFileError: it can't be written. Then file and *cloud* are as they were.
        """
        with self._all_or_nothing(cloud):
            self._begin()
            for table in ("meta", "records", "events", "retry_tokens"):
                self._db.execute(f"DELETE FROM {table}")
            self.blobs.clear()
            self._saved.clear()
            self._counters = ""
            yield

    def close(self) -> None:
        """Let go of the file. It stays as it is, whatever becomes of the mock that had it."""
        self.blobs.leave()
        self._db.close()

    @contextmanager
    def _all_or_nothing(self, cloud: Cloud) -> Iterator[None]:
        """Where the file can't be written, *cloud* becomes what the file holds.

        It would answer with what no restart brings back otherwise, and the next call would write
        the other half of what failed.
        """
        try:
            yield
        except (sqlite3.Error, StateFileError) as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            cloud.forget()
            with self._explained():
                self._restore(cloud)
            if isinstance(fault, StateFileError):
                raise
            raise StateFileError(
                f"{self.path} can't be written ({fault}), so nothing of this call is kept; see to "
                "it that there is room on the disk, then try again"
            ) from fault

    def _save(self, cloud: Cloud) -> None:
        """Write what has changed since the last time, in one transaction."""
        for kind, identifier, record in cloud.store.watched():
            self._save_record(kind, identifier, record)
        counters = json.dumps(
            [cloud.store.last, cloud.ids.last, self.blobs.last, cloud.clock.ahead]
        )
        if counters != self._counters:
            self._begin()
            self._db.execute("REPLACE INTO meta VALUES ('counters', ?)", (counters,))
            self._counters = counters
        self.blobs.sweep()
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self.blobs.settle()

    def _require_bodies(self) -> None:
        """:raises StateFileError: the folder of bodies did not come along with the file."""
        if missing := self.blobs.missing():
            raise StateFileError(
                f"{len(missing)} of the bodies of {self.path} are missing, {missing[0]} for one; "
                f"its folder of bodies goes where it goes, and is named {missing[0].parent.name} "
                "beside it"
            )

    def _prepare(self) -> None:
        format_ = self._db.execute("PRAGMA user_version").fetchone()[0]
        if format_ == _FORMAT:
            # Takes the lock at once, so that a second mock hears of it at its start.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
            return
        if format_ or self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StateFileError(
                f"{self.path} is no state file of this version of ocimock (format {_FORMAT}, found "
                f"{format_}); name another file, or delete it to begin anew"
            )
        self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={_FORMAT}; COMMIT;")

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _save_record(self, kind: str, identifier: str, record: Record | None) -> None:
        key = (kind, identifier)
        if record is None:
            if self._saved.pop(key, None) is not None:
                self._begin()
                self._db.execute("DELETE FROM records WHERE kind = ? AND id = ?", key)
            return
        text = content(record)
        if self._saved.get(key) == hash(text):
            return
        self._begin()
        self._db.execute("REPLACE INTO records VALUES (?, ?, ?)", (kind, identifier, text))
        self._saved[key] = hash(text)

    def _restore(self, cloud: Cloud) -> None:
        """Put into *cloud*, which is empty, what the file holds."""
        meta = self._db.execute("SELECT value FROM meta WHERE name = 'counters'").fetchone()
        last, last_id, last_blob, ahead = json.loads(meta[0]) if meta else (0, 0, 0, 0.0)
        self._saved.clear()
        self._counters = ""
        found = []
        for kind, identifier, text in self._db.execute("SELECT * FROM records"):
            self._saved[kind, identifier] = hash(text)
            found.append(_record(kind, identifier, text))
        # The order in which they came is the order of lists.
        for record in sorted(found, key=lambda record: record.number):
            cloud.store.restore(record)
        events = self._db.execute("SELECT due, number, name, subject FROM events")
        cloud.clock.restore([Event(*row) for row in events], ahead=ahead)
        tokens = self._db.execute("SELECT key, answer FROM retry_tokens")
        cloud.retry_tokens.restore({key: FirstAnswer.parse(answer) for key, answer in tokens})
        self.blobs.load()
        cloud.store.last = max(cloud.store.last, last)
        cloud.ids.last = last_id
        self.blobs.last = max(self.blobs.last, last_blob)

    def _watch(self, cloud: Cloud) -> None:
        """Have the clock and the retry tokens say what becomes of them."""
        cloud.clock.on_scheduled = self._scheduled
        cloud.clock.on_due = self._due
        cloud.retry_tokens.on_kept = self._kept
        cloud.retry_tokens.on_expired = self._expired

    def _scheduled(self, event: Event) -> None:
        self._begin()
        row = (event.number, event.at, event.name, event.subject)
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)

    def _due(self, event: Event) -> None:
        self._begin()
        self._db.execute("DELETE FROM events WHERE number = ?", (event.number,))

    def _kept(self, key: str, answer: FirstAnswer) -> None:
        self._begin()
        self._db.execute("REPLACE INTO retry_tokens VALUES (?, ?)", (key, answer.text()))

    def _expired(self, key: str) -> None:
        self._begin()
        self._db.execute("DELETE FROM retry_tokens WHERE key = ?", (key,))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as fault:
            if "locked" in str(fault):
                raise StateFileError(
                    f"{self.path} is in use by another ocimock; end that one, or name another file"
                ) from None
            raise StateFileError(f"{self.path} can't be used: {fault}") from None
        except sqlite3.DatabaseError as fault:
            raise StateFileError(f"{self.path} is no state file of ocimock: {fault}") from None
        except OSError as fault:
            raise StateFileError(f"{self.path} can't be used: {fault}") from None


def content(record: Record) -> str:
    """A record as the file holds it."""
    return json.dumps(
        [
            record.number,
            record.etag,
            record.deleted,
            record.history,
            record.data,
            record.private,
        ]
    )


def _record(kind: str, identifier: str, text: str) -> Record:
    number, etag, deleted, history, data, private = json.loads(text)
    return Record(kind, identifier, data, number, etag, private, deleted, history)
