"""Which of the host's processors a node gets."""

from __future__ import annotations

import os
import threading


class Cores:
    """Hands them out in turn, so that nodes with few of them do not share one."""

    def __init__(self) -> None:
        self._next = 0
        self._changing = threading.Lock()

    def take(self, count: int | None) -> list[int]:
        """*count* of them; none to mean all, also where this system can't tell them apart."""
        allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if count is None or count >= len(allowed):
            return []
        with self._changing:
            first, self._next = self._next, self._next + count
        return sorted(allowed[(first + number) % len(allowed)] for number in range(count))
