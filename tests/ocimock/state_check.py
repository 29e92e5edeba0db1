"""Whether a state file would hold what the mock holds.

The mock writes down only those records that a call has taken to change them. Here every record is
looked at after every call: one that changed without being taken would be lost at a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocimock.cloud import Cloud
from ocimock.store import Blobs
from ocimock.store.state_file import content


class StateCheck:
    """Stands in for a state file, and writes nothing."""

    def __init__(self) -> None:
        self.blobs = Blobs()
        self._held: dict[tuple[str, str], str] = {}

    def load(self, cloud: Cloud) -> bool:
        """As a new file."""
        del cloud
        return False

    @contextmanager
    def kept(self, cloud: Cloud) -> Iterator[None]:
        """Look at what the block changes."""
        cloud.store.watch()
        try:
            yield
        finally:
            self._check(cloud)

    def _check(self, cloud: Cloud) -> None:
        """:raises AssertionError: a record changed that nobody had taken to change it."""
        taken = {(kind, identifier) for kind, identifier, _ in cloud.store.watched()}
        now = {(record.kind, record.id): content(record) for record in cloud.store.every()}
        changed = {
            key for key in now.keys() | self._held.keys() if now.get(key) != self._held.get(key)
        }
        self._held = now
        assert changed <= taken, f"a state file would not hold {sorted(changed - taken)}"


def checked_cloud(*args: Any, **options: Any) -> Cloud:
    """A :class:`Cloud` whose every call is checked."""
    options["state"] = StateCheck()
    return Cloud(*args, **options)
