"""A ledger's pipelines as JSON texts, and how two copies of one become one again.

Events are only ever added, so of two copies one usually goes on from the other: it wins whole. Two
that went on apart (two machines, one without a network) are merged: all events of both in the
order of their times, of each step the entry that was submitted last, with what the other one made
among its ``replaced``. So nothing that stands in OCI is lost from sight. The merge is the same
whichever copy is named first, and merging again changes nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import RecordError
from .ledger_file import LedgerFile
from .record import entry_of

FORMAT = 1
"""Of the JSON; a copy of another one is refused."""


@dataclass(frozen=True, order=True)
class EventCopy:
    """An event; *details* as JSON."""

    at: str
    step: str
    name: str
    details: str


@dataclass(frozen=True)
class PipelineCopy:
    """A pipeline with all that the ledger has of it; times as ISO 8601. *entries* by step."""

    fingerprint: str
    generation: int
    began: str
    ended: str | None
    state: str
    entries: Mapping[str, Mapping[str, Any]]
    events: tuple[EventCopy, ...]

    @property
    def name(self) -> str:
        """The same on every machine, and in the order of the beginnings."""
        began = re.sub(r"[^0-9T.]", "", self.began.partition("+")[0])
        return f"{began}-{self.fingerprint[:8] or 'single'}-{self.generation}"

    def text(self) -> str:
        """As JSON."""
        data = {"format": FORMAT, **asdict(self)}
        data["events"] = [
            {**asdict(each), "details": json.loads(each.details)} for each in self.events
        ]
        return json.dumps(data, indent=1, sort_keys=True)


def parse(text: str, source: str) -> PipelineCopy:
    """The pipeline that :meth:`PipelineCopy.text` wrote.

    Raises:
        RecordError: it is not one, or of another format; *source* says where it lies.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise RecordError(
                f"{source} has format {data['format']}; this version reads {FORMAT}.",
                "Use the version of tunestack that wrote it.",
            )
        events = tuple(
            EventCopy(each["at"], each["step"], each["name"], _json(each["details"]))
            for each in data["events"]
        )
        return PipelineCopy(
            data["fingerprint"], int(data["generation"]), data["began"], data["ended"],
            data["state"], data["entries"], events,
        )  # fmt: skip
    except (ValueError, TypeError, KeyError) as error:
        raise RecordError(
            f"{source} is no copy of a ledger's pipeline: {error}.",
            "Delete it, or bring back one of its earlier versions.",
        ) from None


def copies(path: Path) -> list[PipelineCopy]:
    """Every pipeline of the ledger at *path*, the oldest first."""
    with LedgerFile(path).reading() as database:
        return _read(database)


def rewrite(
    path: Path, change: Callable[[list[PipelineCopy]], Iterable[PipelineCopy]]
) -> list[PipelineCopy]:
    """Let the ledger at *path* hold what *change* makes of its pipelines; in one transaction.

    They are numbered anew, in the order of their beginnings.
    """
    with LedgerFile(path).writing() as database:
        before = _read(database)
        after = sorted(change(before), key=lambda each: (each.began, each.name))
        if after != before:
            _write(database, after)
    return after


def merged(one: PipelineCopy, other: PipelineCopy) -> PipelineCopy:
    """Both copies of a pipeline as one."""
    if one == other:
        return one
    if len(one.events) < len(other.events):
        one, other = other, one
    if one.events[: len(other.events)] == other.events and one.events != other.events:
        return one
    shared = _shared(one.events, other.events)
    tails = {*one.events[shared:], *other.events[shared:]}
    last = max((one, other), key=_how_far)
    return PipelineCopy(
        fingerprint=one.fingerprint,
        generation=one.generation,
        began=one.began,
        ended=last.ended,
        state=last.state,
        entries={
            step: _later(one.entries.get(step), other.entries.get(step))
            for step in sorted({*one.entries, *other.entries})
        },
        events=(*one.events[:shared], *sorted(tails)),
    )


def apart(one: PipelineCopy, other: PipelineCopy) -> bool:
    """Whether the two went on from a common state in two ways."""
    shared = _shared(one.events, other.events)
    return shared < min(len(one.events), len(other.events))


def _shared(one: tuple[EventCopy, ...], other: tuple[EventCopy, ...]) -> int:
    """How many events both begin with."""
    for number, (this, that) in enumerate(zip(one, other, strict=False)):
        if this != that:
            return number
    return min(len(one), len(other))


def _how_far(copy: PipelineCopy) -> tuple[EventCopy, str, str]:
    return (max(copy.events, default=EventCopy("", "", "", "")), copy.ended or "", copy.state)


def _later(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The entry that was submitted last; what the other one made stands among its replaced."""
    if one is None or other is None:
        return one or other or {}
    first, last = sorted((one, other), key=_how_late)
    replaced = list(last["replaced"])
    own = set(last["ids"].values())
    for made in sorted({*_made(first), *first["replaced"]}):
        if made not in own and made not in replaced:
            replaced.append(made)
    return {**last, "replaced": replaced}


def _how_late(values: Mapping[str, Any]) -> tuple[str, int, bool, str]:
    entry = entry_of(dict(values))
    return (values.get("submitted") or "", entry.attempt, entry.ended, _json(values))


def _made(values: Mapping[str, Any]) -> tuple[str, ...]:
    """What deleting is about: a run goes with its job."""
    return tuple(each for name, each in values["ids"].items() if name != "job_run")


def _read(database: sqlite3.Connection) -> list[PipelineCopy]:
    return [
        PipelineCopy(
            row["fingerprint"], row["generation"], row["began"], row["ended"], row["state"],
            _entries(database, row["number"]), _events(database, row["number"]),
        )
        for row in database.execute("SELECT * FROM pipelines ORDER BY number").fetchall()
    ]  # fmt: skip


def _entries(database: sqlite3.Connection, pipeline: int) -> dict[str, Any]:
    rows = database.execute(
        "SELECT step, entry FROM entries WHERE pipeline = ? ORDER BY step", (pipeline,)
    )
    return {row["step"]: json.loads(row["entry"]) for row in rows}


def _events(database: sqlite3.Connection, pipeline: int) -> tuple[EventCopy, ...]:
    rows = database.execute("SELECT * FROM events WHERE pipeline = ? ORDER BY number", (pipeline,))
    return tuple(
        EventCopy(row["at"], row["step"], row["name"], _json(json.loads(row["details"])))
        for row in rows
    )


def _write(database: sqlite3.Connection, pipelines: Iterable[PipelineCopy]) -> None:
    for table in ("events", "entries", "pipelines"):
        database.execute(f"DELETE FROM {table}")
    for number, copy in enumerate(pipelines, 1):
        database.execute(
            "INSERT INTO pipelines VALUES (?, ?, ?, ?, ?, ?)",
            (number, copy.fingerprint, copy.generation, copy.began, copy.ended, copy.state),
        )
        database.executemany(
            "INSERT INTO entries VALUES (?, ?, ?)",
            ((number, step, json.dumps(entry)) for step, entry in copy.entries.items()),
        )
        database.executemany(
            "INSERT INTO events (pipeline, at, step, name, details) VALUES (?, ?, ?, ?, ?)",
            ((number, each.at, each.step, each.name, each.details) for each in copy.events),
        )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
