"""The index over a bucket's objects: its names in order, and the versions that each has.

Lists begin anywhere in a bucket of any size in the same time. The index is worked out from the
records when it is first asked for, and kept up from then on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from ...cloud import Cloud
from ...store import Record
from .base import OBJECT

# Above whatever can follow in a name: it holds 256 of this character at most.
_LAST = chr(0x10FFFF) * 257


class Names:
    """The names of one bucket's objects, in order, each with its versions."""

    def __init__(self) -> None:
        self._ordered: list[str] = []
        # Of each of these names the newest version, so that a page is read off in one go.
        self._newest: list[Record] = []
        self._versions: dict[str, list[Record]] = {}

    def add(self, name: str, version: Record) -> None:
        """Make *version* the newest of *name*."""
        place = bisect_left(self._ordered, name)
        if name in self._versions:
            self._newest[place] = version
        else:
            self._ordered.insert(place, name)
            self._newest.insert(place, version)
            self._versions[name] = []
        self._versions[name].append(version)

    def remove(self, name: str, version_id: str) -> None:
        """Forget a version, and the name with its last one."""
        if name not in self._versions:
            return
        place = bisect_left(self._ordered, name)
        left = [version for version in self._versions[name] if version.id != version_id]
        if left:
            self._versions[name] = left
            self._newest[place] = left[-1]
            return
        del self._versions[name], self._ordered[place], self._newest[place]

    def versions(self, name: str) -> list[str]:
        """The ids of the versions of *name*, oldest first."""
        return [version.id for version in self._versions.get(name, ())]

    def __len__(self) -> int:
        return len(self._ordered)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ordered)

    def place(self, name: str) -> int:
        """The place of *name* in the order, or where it would be."""
        return bisect_left(self._ordered, name)

    def at(self, place: int) -> str:
        """The name at *place*."""
        return self._ordered[place]

    def between(self, place: int, end: int) -> Iterator[str]:
        """The names from *place* up to but without *end*, without a copy of them all."""
        return map(self._ordered.__getitem__, range(place, end))

    def newest_between(self, place: int, end: int) -> Iterator[Record]:
        """The newest versions of those names, delete markers too; only to be read."""
        return map(self._newest.__getitem__, range(place, end))


def behind(prefix: str) -> str:
    """A name that comes after every name that begins with *prefix*."""
    return prefix + _LAST


def position(version: Record) -> int:
    """A version's place among those of its name: when it came there."""
    return int(version.private.get("position", version.number))


def index(cloud: Cloud, bucket_id: str) -> Names:
    """The index of the bucket whose record has the id *bucket_id*."""
    indexes: dict[str, Names] | None = cloud.derived.get(OBJECT)
    if indexes is None:
        indexes = cloud.derived[OBJECT] = {}
        for version in sorted(cloud.store.live(OBJECT), key=position):
            names = indexes.setdefault(version.data["bucket"], Names())
            names.add(version.data["name"], version)
    found = indexes.get(bucket_id)
    if found is None:
        found = indexes[bucket_id] = Names()
    return found


def forget(cloud: Cloud, bucket_id: str) -> None:
    """Drop the index of a bucket that is gone."""
    cloud.derived.get(OBJECT, {}).pop(bucket_id, None)
