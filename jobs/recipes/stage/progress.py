"""Lines in the job's log: what is being done, how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

EVERY = 1024**3
"""Bytes between two lines of one file."""


def say(text: str) -> None:
    print(f"stage: {text}", flush=True)


def told(parts: Iterable[bytes], name: str, size: int) -> Iterator[bytes]:
    """*parts*, with a line each time another :data:`EVERY` bytes have passed."""
    done = 0
    for part in parts:
        before, done = done, done + len(part)
        if done // EVERY > before // EVERY and done < size:
            say(f"{name}: {in_words(done)} of {in_words(size)}")
        yield part


def in_words(size: int) -> str:
    """1234567 is ``1.2 MB``."""
    number = float(size)
    for unit in ("bytes", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
