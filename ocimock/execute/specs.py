"""What a node is to run, with what, and how it ended. Plain data: nothing here starts anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

DATASCIENCE_HOME = "/home/datascience"
"""The home of the user on OCI's hosts, and the working directory of a job run."""


@dataclass(frozen=True)
class Bind:
    """A folder or file of the host that the node sees at *target*, an absolute path."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Limits:
    """The most that a node may use; None for as much as there is.

    *cpus* are whole ones; *memory* and *disk* are in bytes, of all its processes together and of
    all that it writes.
    """

    cpus: int | None = None
    memory: int | None = None
    disk: int | None = None


@dataclass(frozen=True)
class NodeSpec:
    """One node: a command, and the machine that it believes to be on.

    :param name: for people, and the node's host name: letters, digits and dashes.
    :param folder: its folder on the host, for everything that it writes; it exists and is empty.
    :param command: the words of the command. The first is looked up on the node's own PATH.
    :param environment: all of its environment; nothing of the host's is added.
    :param working_directory: where the command starts, as the node sees it.
    :param binds: what it sees of the host's files at other places: its home, mounts, the model.
    :param python: the folder of the Python environment (a virtualenv or a conda environment) that
        the node may change for itself, by ``pip install`` say; others never see that.
    :param python_at: where the node sees that environment too: a path without the blanks and links
        that the host's may have, since ADS's driver puts it into commands as it is.
    :param network: nodes of one name reach each other, by *address*; OCI's subnet, say.
    :param address: its IPv4 address there.
    :param prefix_length: of that network.
    :param forwards: ports of the node's own 127.0.0.1 that lead to a ``(host, port)`` of the host.
    :param limits: what it may use.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    network: str
    address: str
    prefix_length: int = 24
    binds: tuple[Bind, ...] = ()
    python: Path | None = None
    python_at: str | None = None
    forwards: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    limits: Limits = Limits()


class Cause(StrEnum):
    """Why a node is no more."""

    EXITED = "exited"
    """Its command came to its end, well or not."""
    SIGNALED = "signaled"
    """A signal that nobody here sent ended it: the kernel's, or its own."""
    STOPPED = "stopped"
    """It was told to stop."""
    KILLED = "killed"
    """It was killed at once, as a host that fails."""
    MEMORY = "memory"
    """It used more memory than it may."""
    DISK = "disk"
    """It wrote more than it may."""
    NOT_STARTED = "not started"
    """Its command could not be started at all."""


@dataclass(frozen=True)
class End:
    """How a node ended: the command's exit code (128 + n for signal n), and why, in words."""

    cause: Cause
    exit_code: int
    message: str = ""
