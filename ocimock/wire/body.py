"""Bodies of requests, objects and answers: bytes in memory, or files where there are many.

A :class:`Body` never changes. It is made of segments, so that an upload in parts is put together
without a copy, and a part of it is one more body.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

# Bytes. What is larger lies in a file from the moment in which it comes in.
IN_MEMORY = 1024 * 1024
# Bytes that are read or sent at a time.
PIECE = 1024 * 1024


class Segment(Protocol):
    """A run of bytes somewhere."""

    @property
    def size(self) -> int: ...

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        """The bytes from *first* up to but without *end*, at most ``PIECE`` at a time."""
        ...


class InMemory:
    """A segment of bytes."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        if first == 0 and end == self.size and end <= PIECE:
            yield self.data
            return
        view = memoryview(self.data)
        for start in range(first, end, PIECE):
            yield bytes(view[start : min(start + PIECE, end)])


class InFile:
    """A segment that is a whole file, and its only owner.

    The file goes when the last body that has it goes, whoever holds that (the store, or an answer
    on its way out). At the end of the process it stays: a state file may count on it. A forked
    process owns nothing.
    """

    __slots__ = ("__weakref__", "path", "size", "unlink")

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.unlink = weakref.finalize(self, _unlink, path, os.getpid())
        self.unlink.atexit = False

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(first)
            left = end - first
            while left > 0:
                piece = file.read(min(PIECE, left))
                if not piece:
                    raise OSError(f"{self.path} is shorter than it was")
                left -= len(piece)
                yield piece


class Body:
    """An unchanging run of bytes, in memory or not."""

    __slots__ = ("_first", "digests", "segments", "size")

    def __init__(
        self,
        segments: tuple[Segment, ...],
        *,
        first: int = 0,
        size: int | None = None,
        digests: dict[str, bytes] | None = None,
    ) -> None:
        self.segments = segments
        self._first = first
        self.size = sum(segment.size for segment in segments) if size is None else size
        # By the names of hashlib's algorithms, as far as they were asked for.
        self.digests = digests or {}

    @classmethod
    def of(cls, data: bytes) -> Body:
        return cls((InMemory(data),) if data else ())

    @classmethod
    def joined(cls, bodies: list[Body]) -> Body:
        """One whole body after the other. None of them may be a part of a body."""
        return cls(tuple(segment for body in bodies for segment in body.segments))

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        if len(self.segments) == 1 and isinstance(self.segments[0], InMemory):
            segment = self.segments[0]
            if self.size == segment.size:
                return segment.data
        return b"".join(self.pieces())

    def part(self, first: int, last: int) -> Body:
        """The bytes from *first* to *last*, both included."""
        return Body(self.segments, first=self._first + first, size=last - first + 1)

    def pieces(self) -> Iterator[bytes]:
        """The bytes, ``PIECE`` of them at most at a time."""
        skip, left = self._first, self.size
        for segment in self.segments:
            if skip >= segment.size:
                skip -= segment.size
                continue
            end = min(segment.size, skip + left)
            if end > skip:
                yield from segment.pieces(skip, end)
                left -= end - skip
            skip = 0
            if left <= 0:
                return

    def open(self) -> IO[bytes]:
        """The bytes as a file to read from."""
        if self.size <= PIECE:
            return io.BytesIO(bytes(self))
        return io.BufferedReader(_Reader(self.pieces()), PIECE)

    def digest(self, algorithm: str) -> bytes:
        """The bytes' hash by one of hashlib's algorithms, computed once."""
        if algorithm not in self.digests:
            computed = hashlib.new(algorithm, usedforsecurity=False)
            for piece in self.pieces():
                computed.update(piece)
            self.digests[algorithm] = computed.digest()
        return self.digests[algorithm]


class Spool:
    """Takes a body as it comes in: into memory, and into a file once it is large.

    :param folder: where to put the file; called only when one is needed.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._chunks: list[bytes] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._segment: InFile | None = None
        # Nearly every large body's MD5 is asked for; this saves a second reading.
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._file is None:
            self._chunks.append(chunk)
            if self._size > IN_MEMORY:
                self._spill()
            return
        self._keep(chunk)

    def finish(self) -> Body:
        """The whole body. Nothing can be written after it."""
        if self._file is None or self._segment is None:
            return Body.of(self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks))
        self._file.close()
        segment, self._segment = self._segment, None
        segment.size = self._size
        return Body((segment,), digests={"md5": self._md5.digest()})

    def discard(self) -> None:
        """Forget what came so far."""
        if self._file is not None:
            # What is still to be written may be just what the disk has no room for.
            with contextlib.suppress(OSError):
                self._file.close()
        self._segment = None
        self._chunks.clear()

    def _spill(self) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder(), prefix="body-")
        self._file = os.fdopen(handle, "wb", buffering=PIECE)
        self._segment = InFile(Path(name), 0)
        for chunk in self._chunks:
            self._keep(chunk)
        self._chunks.clear()

    def _keep(self, chunk: bytes) -> None:
        assert self._file is not None
        self._file.write(chunk)
        self._md5.update(chunk)


def in_file(body: Body, folder: Callable[[], Path]) -> Body:
    """*body*, in a file where much of it is in memory."""
    if sum(part.size for part in body.segments if isinstance(part, InMemory)) <= IN_MEMORY:
        return body
    spool = Spool(folder)
    for piece in body.pieces():
        spool.write(piece)
    return spool.finish()


class _Reader(io.RawIOBase):
    """A raw stream over pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _unlink(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
