"""The bodies of objects and artifacts, kept apart from the records that describe them.

Records stay small and JSON-able: they hold a blob's key, and its bytes are only here.
"""

from __future__ import annotations

import itertools


class Blobs:
    """Byte strings under keys that it gives out, in memory."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    def put(self, body: bytes) -> str:
        """Keep *body*; the key under which it lies."""
        key = f"blob{next(self._numbers)}"
        self._bodies[key] = bytes(body)
        return key

    def get(self, key: str) -> bytes:
        """:raises KeyError: no such blob, or dropped."""
        return self._bodies[key]

    def share(self, key: str) -> str:
        """A second key for the same bytes, so that each of two records can drop its own."""
        return self.put(self._bodies[key])

    def drop(self, key: str) -> None:
        self._bodies.pop(key, None)

    def count(self) -> int:
        """How many there are."""
        return len(self._bodies)
