"""What a run's thread hears: lines and ends of its nodes, and what it is told to do."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...execute.specs import End

# A node that writes faster than lines can be kept waits, as at any full pipe.
_MOST_LINES = 5_000
# So many are written down without waiting for more.
_MANY_LINES = 2_000
# Seconds. How long lines gather for one transaction: at least, and at most.
_GATHER, _GATHER_MOST = 0.05, 0.5
# A state file holds a log as one record: with many lines in it each transaction takes its time. So
# this many times as long goes by until the next.
_PAUSES = 8


@dataclass(frozen=True)
class Line:
    """A line of a node's output."""

    rank: int
    text: str


@dataclass(frozen=True)
class Ended:
    """A node that is no more."""

    rank: int
    end: End


class Inbox:
    """Filled by the threads of the nodes and by calls, emptied by the run's own thread."""

    def __init__(self) -> None:
        self._items: deque[Line | Ended] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._pause = _GATHER

    def line(self, rank: int, text: str) -> None:
        """Wait until there is room for it; nobody hears it any more once the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._items) < _MOST_LINES)
            if not self._is_closed:
                self._items.append(Line(rank, text))
                self._changed.notify_all()

    def ended(self, rank: int, end: End) -> None:
        with self._changed:
            self._items.append(Ended(rank, end))
            self._changed.notify_all()

    def wake(self) -> None:
        """There is something to look at elsewhere."""
        with self._changed:
            self._changed.notify_all()

    def take(self, timeout: float) -> list[Line | Ended]:
        """All that came, after waiting for the first of it for *timeout* seconds at most."""
        with self._changed:
            if not self._items:
                self._changed.wait(timeout)
            found = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return found

    def gather(self, heard: list[Line | Ended]) -> list[Line | Ended]:
        """*heard*, and what comes in the next moment: bursts are to be written down together."""
        until = time.monotonic() + self._pause
        # Asleep, not waiting for a change: each line would end that.
        while not _is_end(heard) and not self._is_pressing() and time.monotonic() < until:
            time.sleep(_GATHER)
        return heard + self.take(0)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around what writes lines down: the longer it takes, the longer the next ones gather."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self._pause = min(max(_GATHER, _PAUSES * took), _GATHER_MOST)

    def close(self) -> None:
        """Whoever waits for room goes on; what comes is dropped."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _is_pressing(self) -> bool:
        with self._changed:
            return len(self._items) >= _MANY_LINES or _is_end(self._items)


def _is_end(items: Sequence[Line | Ended]) -> bool:
    return bool(items) and isinstance(items[-1], Ended)
