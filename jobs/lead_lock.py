"""The lock by which one process of a machine leads: it ends with the process that holds it."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
import socket
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO

from .errors import WriteError
from .files import write_atomically
from .lease import Leader

_LOCK = "leader"
_MACHINE = "machine"


class LeadLock:
    """The operating system's lock on a file in *folder*, which says who holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self, leader: Leader) -> bool:
        """False where another holds it, in this process or another.

        Raises:
            WriteError: the folder can't be written to.
        """
        path = self._folder / _LOCK
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise WriteError(f"Cannot write {path}: {error.strerror}.") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(json.dumps({**asdict(leader), "since": leader.since.isoformat()}))
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def holder(self) -> Leader | None:
        """Whoever else holds it."""
        try:
            with (self._folder / _LOCK).open(encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    data = json.load(file)
                    return Leader(**{**data, "since": datetime.fromisoformat(data["since"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # nobody has led here, or somebody begins to at this moment
        return None

    def machine(self) -> str:
        """A name of this folder on this host: a copy of it on another host is another machine."""
        path = self._folder / _MACHINE
        own = f"{socket.gethostname()}:{path.absolute().parent}"
        try:
            if not path.is_file():
                write_atomically(path, secrets.token_hex(8))
            return f"{own}:{path.read_text('utf-8')}"
        except (WriteError, OSError):  # a read-only folder: who is here has only ever looked
            return own


def own_leader(now: datetime) -> Leader:
    """This process."""
    return Leader(socket.gethostname(), os.getpid(), _user(), now)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
