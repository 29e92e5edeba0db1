"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import WriteError


def write_atomically(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all, with the folders above it.

    Raises:
        WriteError: the folder can't be written to, or the disk is full.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror}.") from None
