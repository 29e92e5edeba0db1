"""Files of a folder that a node writes to as well, at any moment, and whatever it likes.

The mock reads and writes there as the host's user, so it follows no link: one that a node left
would lead it to files of the host that the node itself can't reach.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# A pipe in the place of a file must not be waited for.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Look:
    """A file as it looks: another look tells whether it was written to."""

    size: int
    modified: int

    @classmethod
    def of(cls, found: os.stat_result) -> Look:
        return cls(found.st_size, found.st_mtime_ns)


class SharedFolder:
    """*path*, and the files below by their names: paths with slashes, from there on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def files(self) -> Iterator[tuple[str, Look | None]]:
        """All that is there but folders; without a look what is no plain file: links, pipes."""
        for parent, folders, names, handle in os.fwalk(self.path, follow_symlinks=False):
            below = Path(parent).relative_to(self.path)
            for name in (*folders, *names):
                with suppress(OSError):  # it went in between
                    found = os.stat(name, dir_fd=handle, follow_symlinks=False)
                    if not stat.S_ISDIR(found.st_mode):
                        is_file = stat.S_ISREG(found.st_mode)
                        yield (below / name).as_posix(), Look.of(found) if is_file else None

    def look(self, name: str) -> Look | None:
        """None where there is no plain file of that name. :raises OSError: there can be none."""
        try:
            with self._parent(name) as (parent, last):
                found = os.stat(last, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Look.of(found) if stat.S_ISREG(found.st_mode) else None

    def is_free(self, name: str) -> bool:
        """Whether nothing is there. :raises OSError: nothing can be, a part of it is no folder."""
        try:
            with self._parent(name) as (parent, last):
                os.stat(last, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return True
        return False

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """:raises OSError: it can't be read, or is no plain file any more."""
        with self._parent(name) as (parent, last):
            handle = os.open(last, _READ, dir_fd=parent)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError("it is no file any more")
            yield file

    def put(self, draft: Path, name: str) -> Look:
        """Have *draft*, a file on the same disk, as *name*. :raises OSError: it can't be."""
        with self._parent(name, make=True) as (parent, last):
            os.rename(draft, last, dst_dir_fd=parent)
            return Look.of(os.stat(last, dir_fd=parent, follow_symlinks=False))

    def remove(self, name: str) -> None:
        """:raises OSError: it can't be removed."""
        with self._parent(name) as (parent, last):
            os.unlink(last, dir_fd=parent)

    @contextmanager
    def _parent(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder in which *name* is, and its last part."""
        *folders, last = name.split("/")
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=handle)
                below = os.open(folder, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle, last
        finally:
            os.close(handle)
