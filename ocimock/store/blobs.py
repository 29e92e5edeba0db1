"""The bodies of objects and artifacts, kept apart from the records that describe them.

Records stay small and JSON-able: they hold a blob's key, and its bytes are only here. Large ones
lie in files, wherever the records are.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from ..wire.body import Body, Spool, in_file


class Blobs:
    """Bodies under keys that it gives out: small ones in memory, large ones in a folder."""

    def __init__(self) -> None:
        self._bodies: dict[str, Body] = {}
        self.last = 0
        # Made with the first large body, gone with the last reference to this object.
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        # In the process bodies come in outside of the cloud's lock, several at once.
        self._making = threading.Lock()

    def spool(self) -> Spool:
        """Somewhere to write a body that comes in."""
        return Spool(self.folder)

    def folder(self) -> Path:
        """Where large bodies lie."""
        with self._making:
            if self._temporary is None:
                self._temporary = tempfile.TemporaryDirectory(
                    prefix="ocimock-bodies-", ignore_cleanup_errors=True
                )
            return Path(self._temporary.name)

    def put(self, body: Body | bytes) -> str:
        """Keep *body*; the key under which it lies."""
        self.last += 1
        key = f"blob{self.last}"
        self._keep(key, Body.of(body) if isinstance(body, bytes) else body)
        return key

    def get(self, key: str) -> Body:
        """:raises KeyError: no such blob, or dropped."""
        return self._bodies[key]

    def drop(self, key: str) -> None:
        self._bodies.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        for key in list(self._bodies):
            self.drop(key)

    def count(self) -> int:
        """How many there are."""
        return len(self._bodies)

    def _keep(self, key: str, body: Body) -> None:
        self._bodies[key] = in_file(body, self.folder)
