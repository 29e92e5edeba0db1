"""Looks for a planted secret wherever something could have kept it, in each form it could have."""

from __future__ import annotations

import base64
import io
import sqlite3
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus


@dataclass(frozen=True)
class Planted:
    """A secret, and how it would look where somebody wrote it down."""

    text: str

    @property
    def forms(self) -> frozenset[bytes]:
        """Plain, URL-encoded, in JSON, in hexadecimal, and in BASE64 at any place of a longer text.

        In the last, what depends on its neighbours is left out at both ends.
        """
        raw = self.text.encode()
        plain = (self.text, quote(self.text, safe=""), quote_plus(self.text), raw.hex())
        escaped = self.text.replace("/", "\\/")
        return frozenset(
            [
                *(form.encode() for form in (*plain, escaped)),
                *(_core(raw, before) for before in range(3)),
                *(_core(raw, before).translate(_URL_SAFE) for before in range(3)),
            ]
        )

    def is_in(self, content: bytes | str) -> bool:
        """Whether it is in some content, or in a file of the archive that the content is."""
        data = content.encode() if isinstance(content, str) else content
        if any(form in data for form in self.forms):
            return True
        if not data.startswith(b"PK\x03\x04"):
            return False
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(self.is_in(archive.read(name)) for name in archive.namelist())

    def files(self, *folders: Path) -> list[str]:
        """The files below *folders* that hold it. Links are not followed."""
        return [
            str(path)
            for folder in folders
            for path in _files(folder)
            if self.is_in(path.name) or self.is_in(path.read_bytes())
        ]

    def kinds(self, state: Path) -> set[str]:
        """The kinds of the records in the mock's state file that hold it; other tables by name."""
        with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as database:
            records = database.execute("SELECT kind, content FROM records").fetchall()
            found = {kind for kind, content in records if self.is_in(content)}
            for table, column in (("retry_tokens", "answer"), ("segments", "body")):
                rows = database.execute(f"SELECT {column} FROM {table}").fetchall()
                found |= {table for (content,) in rows if self.is_in(content)}
        return found


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _core(raw: bytes, before: int) -> bytes:
    """The characters of BASE64 that *raw* alone decides, with *before* bytes in front of it."""
    encoded = base64.b64encode(b"\0" * before + raw)
    first = -(-before * 8 // 6)
    last = (before + len(raw)) * 8 // 6
    return encoded[first:last]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


@dataclass
class ProcessList:
    """What others on this machine could have read of the processes that were watched."""

    arguments: set[str]
    environments: dict[str, str]

    def show(self, planted: Planted) -> list[str]:
        """The command lines that hold it."""
        return [line for line in self.arguments if planted.is_in(line)]

    def inherited(self, planted: Planted) -> set[str]:
        """The command lines of the processes whose environment holds it."""
        return {line for line, text in self.environments.items() if planted.is_in(text)}


@contextmanager
def watched_processes(home: Path) -> Iterator[ProcessList]:
    """Look at the processes whose HOME is *home*, again and again, until the block ends."""
    seen = ProcessList(set(), {})
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(f"HOME={home}\0".encode(), seen, ended))
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _watch(mark: bytes, seen: ProcessList, ended: threading.Event) -> None:
    while not ended.wait(0.02):
        for environment, line in _processes():
            if mark in environment:
                shown = line.replace(b"\0", b" ").decode(errors="replace")
                seen.arguments.add(shown)
                # The longest: a process begins with its parent's, and may drop some of it.
                before = seen.environments.get(shown, "")
                text = environment.decode(errors="replace")
                seen.environments[shown] = max(before, text, key=len)


def _processes() -> Iterable[tuple[bytes, bytes]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            yield (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended, or is somebody else's
