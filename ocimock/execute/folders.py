"""Folders that nodes leave behind."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def remove(folder: Path) -> bool:
    """Remove *folder*, also where a node took its own rights to what is in there.

    An overlay's folder of work is such a one, for whoever is not root.

    :return: whether nothing is left of it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return True
    _allow(folder)
    # From the top: what is below can be listed once its parent can.
    for parent, names, _ in os.walk(folder):
        for name in names:
            _allow(Path(parent, name))
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _allow(folder: Path) -> None:
    if not folder.is_symlink():
        with suppress(OSError):
            folder.chmod(0o700)
