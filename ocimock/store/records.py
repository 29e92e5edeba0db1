"""Resources by kind and identifier, in memory.

A record's ``data`` is the resource as the API shows it (wire names, JSON values); ``private``
holds what the API does not show, JSON values too. Deleted resources stay as tombstones, because
clients read a resource once more to see that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Record:
    kind: str
    id: str
    data: dict[str, Any]
    number: int
    etag: str
    private: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False
    # Kept to be read, but nothing that stands in the tenancy: a work request, say.
    history: bool = False


class Store:
    """All records of one mock.

    Between :meth:`watch` and :meth:`watched` it keeps the records that it hands out to be changed:
    only those need to be written to a state file.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Record]] = {}
        self.last = 0
        self._watched: dict[tuple[str, str], Record] | None = None

    def add(
        self,
        kind: str,
        identifier: str,
        data: dict[str, Any],
        *,
        etag: str = "",
        private: dict[str, Any] | None = None,
        history: bool = False,
    ) -> Record:
        number = self.next_number()
        record = Record(kind, identifier, data, number, etag, private or {}, history=history)
        self.restore(record)
        if self._watched is not None:
            self._watched[kind, identifier] = record
        return record

    def restore(self, record: Record) -> None:
        """Put back a record that a state file held."""
        self._kinds.setdefault(record.kind, {})[record.id] = record
        self.last = max(self.last, record.number)

    def next_number(self) -> int:
        """A number higher than any before: what came later has the higher one."""
        self.last += 1
        return self.last

    def find(self, kind: str, identifier: str) -> Record | None:
        """The record, a tombstone too, also to be changed; None where there never was one."""
        found = self._kinds.get(kind, {}).get(identifier)
        if found is not None and self._watched is not None:
            self._watched[kind, identifier] = found
        return found

    def live(self, kind: str) -> Iterator[Record]:
        """The records of *kind* that stand, in the order in which they came; only to be read."""
        return iter([r for r in self._kinds.get(kind, {}).values() if not r.deleted])

    def having(self, kind: str, field: str, value: Any) -> list[Record]:
        """Those live records of *kind* whose data has *value* in *field*; only to be read."""
        records = self._kinds.get(kind, {}).values()
        return [r for r in records if r.data.get(field) == value and not r.deleted]

    def every(self) -> Iterator[Record]:
        """All records, tombstones too; only to be read."""
        return (record for records in self._kinds.values() for record in records.values())

    def live_to_change(self, kind: str) -> Iterator[Record]:
        """The same, for whoever is going to change some of them."""
        for record in self.live(kind):
            if self._watched is not None:
                self._watched[kind, record.id] = record
            yield record

    def drop(self, kind: str, identifier: str) -> None:
        """Forget a record altogether, tombstone and all."""
        found = self._kinds.get(kind, {}).pop(identifier, None)
        if found is not None and self._watched is not None:
            self._watched[kind, identifier] = found

    def clear(self) -> None:
        """Forget all records. Numbers go on from where they were."""
        self._kinds.clear()
        self._watched = None

    def kinds(self) -> list[str]:
        return sorted(self._kinds)

    def standing(self) -> dict[str, int]:
        """How many resources of each kind stand; kinds without one are left out."""
        counts = {
            kind: sum(not record.deleted and not record.history for record in records.values())
            for kind, records in sorted(self._kinds.items())
        }
        return {kind: count for kind, count in counts.items() if count}

    def watch(self) -> None:
        """Keep what is handed out from now on."""
        if self._watched is None:
            self._watched = {}

    def unwatch(self) -> None:
        """Nothing is going to change: end the watch."""
        self._watched = None

    def watched(self) -> Iterator[tuple[str, str, Record | None]]:
        """Kind, identifier, record (None: dropped) of all that was handed out; ends the watch."""
        watched, self._watched = self._watched or {}, None
        for kind, identifier in watched:
            yield kind, identifier, self._kinds.get(kind, {}).get(identifier)
