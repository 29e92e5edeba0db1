"""What a node says, line by line."""

from __future__ import annotations

from collections.abc import Iterator

MOST_BYTES = 32 * 1024
"""Of one line that is passed on; OCI Logging takes no more than 1 MB, and people far less."""


class Lines:
    """Bytes in, lines out. At most one line's worth of them is kept.

    A carriage return starts a line over, as on a terminal: of a progress bar its last state
    remains. What is no UTF-8 is replaced.
    """

    def __init__(self) -> None:
        self._line = b""
        self._dropped = 0

    def take(self, text: bytes) -> Iterator[str]:
        """The lines that end within *text*."""
        *whole, rest = text.split(b"\n")
        for part in whole:
            self._add(part)
            yield self._taken()
        self._add(rest)

    def end(self) -> Iterator[str]:
        """The last line, where no newline ended it."""
        if self._line or self._dropped:
            yield self._taken()

    def _add(self, text: bytes) -> None:
        # A return at the very end may belong to a newline still to come: it changes nothing yet.
        body = text.rstrip(b"\r")
        pending = self._line.endswith(b"\r") and bool(body)
        start = body.rfind(b"\r")
        if start >= 0 or pending:
            self._line, self._dropped = b"", 0
        text = text[start + 1 :]
        room = max(0, MOST_BYTES - len(self._line))
        self._line += text[:room]
        self._dropped += len(text[room:])

    def _taken(self) -> str:
        line, dropped = self._line.rstrip(b"\r"), self._dropped
        self._line, self._dropped = b"", 0
        said = line.decode("utf-8", "replace")
        return f"{said} … ({dropped} more bytes were cut)" if dropped else said
