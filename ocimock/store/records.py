"""Resources by kind and identifier, in memory.

A record's ``data`` is the resource as the API shows it (wire names, JSON values); ``private``
holds what the API does not show. Deleted resources stay as tombstones, because clients read a
resource once more to see that it is gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
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
    """All records of one mock."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Record]] = {}
        self._numbers = itertools.count(1)

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
        record = Record(
            kind, identifier, data, next(self._numbers), etag, private or {}, history=history
        )
        self._kinds.setdefault(kind, {})[identifier] = record
        return record

    def find(self, kind: str, identifier: str) -> Record | None:
        """The record, a tombstone too; None where there never was one."""
        return self._kinds.get(kind, {}).get(identifier)

    def live(self, kind: str) -> Iterator[Record]:
        """The records of *kind* that stand, in the order in which they came."""
        return iter([r for r in self._kinds.get(kind, {}).values() if not r.deleted])

    def drop(self, kind: str, identifier: str) -> None:
        """Forget a record altogether, tombstone and all."""
        self._kinds.get(kind, {}).pop(identifier, None)

    def kinds(self) -> list[str]:
        return sorted(self._kinds)

    def standing(self) -> dict[str, int]:
        """How many resources of each kind stand; kinds without one are left out."""
        counts = {
            kind: sum(1 for record in self.live(kind) if not record.history)
            for kind in self.kinds()
        }
        return {kind: count for kind, count in counts.items() if count}
