"""Control groups for memory (cgroups(7)): the kernel itself holds a node to its limit."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .meters import Excess, memory_excess

_ROOT = Path("/sys/fs/cgroup")
_TRIES = 100
_counter = itertools.count(1)


@dataclass(frozen=True)
class _Files:
    """What a version of control groups calls its files."""

    limit: str
    swap: str
    peak: str
    kills: str


_V1 = _Files(
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes",
    "memory.oom_control",
)  # fmt: skip
_V2 = _Files("memory.max", "memory.swap.max", "memory.peak", "memory.events")


@dataclass(frozen=True)
class Parent:
    """A control group in which this process may make others that limit memory."""

    folder: Path
    files: _Files

    def make(self) -> Parent | None:
        """One below it, for the nodes of one network; None where it can't be made."""
        folder = self.folder / f"ocimock-{os.getpid()}-{next(_counter)}"
        try:
            folder.mkdir()
            if self.files is _V2:
                (folder / "cgroup.subtree_control").write_text("+memory")
        except OSError:
            with suppress(OSError):
                folder.rmdir()
            return None
        return Parent(folder, self.files)

    def remove(self) -> None:
        """Empty it is, or else whoever is in there keeps it."""
        with suppress(OSError):
            self.folder.rmdir()

    def limited(self, name: str, limit: int, first: int) -> Group | None:
        """One below it for the process *first*, and what it will start, to *limit* bytes."""
        folder = self.folder / f"{next(_counter)}-{name}"
        try:
            folder.mkdir()
            (folder / self.files.limit).write_text(str(limit))
            with suppress(OSError):  # the kernel may count no swap
                swap = limit if self.files is _V1 else 0
                (folder / self.files.swap).write_text(str(swap))
            (folder / "cgroup.procs").write_text(str(first))
        except OSError:
            with suppress(OSError):
                folder.rmdir()
            return None
        return Group(folder, self.files, limit)


@dataclass(frozen=True)
class Group:
    """A node's control group; a meter too."""

    folder: Path
    files: _Files
    limit: int

    def excess(self) -> Excess | None:
        """When the kernel killed a process for its memory."""
        with suppress(OSError):
            for line in (self.folder / self.files.kills).read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill" and int(count):
                    return memory_excess(max(self._peak(), self.limit), self.limit)
        return None

    def remove(self) -> None:
        """Its processes are gone, though the kernel may count them for a moment more."""
        for _ in range(_TRIES):
            with suppress(OSError):
                self.folder.rmdir()
            if not self.folder.exists():
                return
            time.sleep(0.002)

    def _peak(self) -> int:
        with suppress(OSError, ValueError):
            return int((self.folder / self.files.peak).read_text())
        return 0


def find_parent(root: Path = _ROOT, own: Path = Path("/proc/self/cgroup")) -> Parent | None:
    """Where this process may limit memory; None where it may not."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _usable(root / "memory" / path.strip("/"), _V1)
        if not controllers:
            # A group with processes has none below it that limit memory; the one above may.
            found = _usable((root / path.strip("/")).parent, _V2)
            if found is not None and path != "/":
                return found
    return None


def _usable(folder: Path, files: _Files) -> Parent | None:
    if not os.access(folder, os.W_OK):
        return None
    if files is _V2:
        try:
            if "memory" not in (folder / "cgroup.subtree_control").read_text().split():
                return None
        except OSError:
            return None
    return Parent(folder, files)
