"""What a node uses, against what it may use."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .specs import Cause

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512  # bytes of an st_blocks (man 3 stat)


@dataclass(frozen=True)
class Excess:
    """A node used more than it may."""

    cause: Cause
    message: str


class Meter(Protocol):
    """Looks at one thing that a node uses."""

    def excess(self) -> Excess | None:
        """None as long as the node keeps within its limit."""


class ResidentMemory:
    """Memory by what /proc says of a node's processes, where there is no control group.

    Pages that processes share are counted once for each, and once in all where that decides.
    """

    def __init__(self, first: int, limit: int) -> None:
        self._first = first
        self._limit = limit

    def excess(self) -> Excess | None:
        pids = [self._first, *descendants(self._first)]
        if sum(map(_resident, pids)) <= self._limit:
            return None
        used = sum(map(_proportional, pids))
        return memory_excess(used, self._limit) if used > self._limit else None


def memory_excess(used: int, limit: int) -> Excess:
    return Excess(
        Cause.MEMORY, f"out of memory: it used {in_units(used)}, {in_units(limit)} are allowed"
    )


def descendants(first: int) -> list[int]:
    """The processes below that one, as far as /proc knows."""
    children: dict[int, list[int]] = {}
    for name in _entries("/proc"):
        if name.isdecimal():
            children.setdefault(_parent(name), []).append(int(name))
    found: list[int] = []
    waiting = [first]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _parent(pid: str) -> int:
    with suppress(OSError):
        # The second field is the command in brackets, which may hold any character.
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    return 0


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)


class WrittenDisk:
    """The blocks that the files below a node's folder take."""

    def __init__(self, folder: Path, limit: int, without: Iterable[Path] = ()) -> None:
        """:param without: folders in there that the node can't write to."""
        self._folder = folder
        self._limit = limit
        self._without = {str(path) for path in without}
        self._next = 0.0

    def excess(self, now: Callable[[], float] = time.monotonic) -> Excess | None:
        start = now()
        if start < self._next:
            return None
        used = sum(self._blocks()) * _BLOCK
        # A folder of very many files is looked at less often.
        self._next = now() + 10 * (now() - start)
        if used <= self._limit:
            return None
        said = f"out of disk: it wrote {in_units(used)}, {in_units(self._limit)} are allowed"
        return Excess(Cause.DISK, said)

    def _blocks(self) -> Iterator[int]:
        linked: set[tuple[int, int]] = set()
        waiting = [str(self._folder)]
        while waiting:
            with suppress(OSError), os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.path in self._without:
                        continue
                    found = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif found.st_nlink > 1:
                        if (found.st_dev, found.st_ino) in linked:
                            continue
                        linked.add((found.st_dev, found.st_ino))
                    yield found.st_blocks


def _entries(folder: str) -> list[str]:
    with suppress(OSError):
        return [entry.name for entry in os.scandir(folder)]
    return []


def in_units(count: int) -> str:
    """Bytes for people: decimal units, as everywhere in OCI's limits."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
