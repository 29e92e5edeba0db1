"""Time inside the mock: everything that happens later is an event on a clock that tests can own."""

from __future__ import annotations

import contextlib
import functools
import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate

# Seconds. What is scheduled or is to expire after an advance needs dates too.
_MARGIN = 10 * 365 * 86400.0


@dataclass(frozen=True, order=True)
class Event:
    """Something due at *at* (seconds since the epoch): a registered name and the OCID it is for."""

    at: float
    number: int
    name: str = field(compare=False)
    subject: str = field(compare=False)


class Clock:
    """Real time, sped up or stopped.

    *pace* scales every delay: 1 is real time, 0 lets everything happen at the next call. After
    :meth:`advance` the clock runs ahead of real time by the seconds that it was given.
    """

    def __init__(self, pace: float = 0.0, source: Callable[[], float] = time.time) -> None:
        if not 0 <= pace < math.inf:
            raise ValueError(f"pace: {pace} is not 0 or more")
        self.pace = pace
        self._source = source
        self._ahead = 0.0
        self._frozen: float | None = None
        self._events: list[Event] = []
        self._last = 0
        # For a state file to hear of what is to happen, and of what has happened.
        self.on_scheduled: Callable[[Event], None] | None = None
        self.on_due: Callable[[Event], None] | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        if self._frozen is not None:
            return self._frozen
        return self._source() + self._ahead

    @property
    def ahead(self) -> float:
        """By how many seconds this clock is ahead of its clients'."""
        return self._ahead

    @contextlib.contextmanager
    def frozen(self, at: float) -> Iterator[None]:
        """Let it be *at*: an event happens at its own time, however late a call sets it off."""
        before, self._frozen = self._frozen, at
        try:
            yield
        finally:
            self._frozen = before

    def timestamp(self) -> str:
        """Now, as OCI writes it (RFC 3339, milliseconds, UTC)."""
        return format_time(self.now())

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass at once.

        :raises ValueError: they run backwards, or to where no date can be written any more.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"time runs forward only: {seconds}")
        try:
            format_time(self.now() + seconds + _MARGIN)
        except (OverflowError, ValueError, OSError):
            raise ValueError(f"time ends before {seconds} more seconds have passed") from None
        self._ahead += seconds

    def schedule(self, delay: float, name: str, subject: str) -> None:
        """Have event *name* happen to *subject* in *delay* seconds (times the pace)."""
        self.schedule_at(self.now() + delay * self.pace, name, subject)

    def schedule_at(self, at: float, name: str, subject: str) -> None:
        """Have it happen at a date of the calendar (seconds since the epoch), at whatever pace."""
        self._last += 1
        event = Event(at, self._last, name, subject)
        heapq.heappush(self._events, event)
        if self.on_scheduled is not None:
            self.on_scheduled(event)

    def is_due(self) -> bool:
        """Whether the time of an event has come."""
        return bool(self._events) and self._events[0].at <= self.now()

    def due(self) -> Event | None:
        """The next event whose time has come, taken off the queue."""
        if not self.is_due():
            return None
        event = heapq.heappop(self._events)
        if self.on_due is not None:
            self.on_due(event)
        return event

    def restore(self, events: list[Event], *, ahead: float) -> None:
        """Go on where a state file left off: *events* to come, *ahead* seconds of advances."""
        self._events = sorted(events)
        self._last = max((event.number for event in events), default=self._last)
        self._ahead = ahead


def format_time(seconds: float) -> str:
    """*seconds* since the epoch as RFC 3339 with milliseconds, as OCI writes its times."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@functools.lru_cache(maxsize=64)
def http_date(seconds: int) -> str:
    """*seconds* since the epoch as HTTP writes a date."""
    return formatdate(seconds, usegmt=True)
