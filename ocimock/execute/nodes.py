"""Running nodes: start one, hear what it says, stop it, learn how it ended."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

from .specs import End, NodeSpec

Heard = Callable[[str], None]
"""Hears each line of a node's output (standard output and error in one), in order, as it comes."""

STOP_SECONDS = 30.0
"""How long a node may take to end after SIGTERM before SIGKILL ends it."""


class Node(Protocol):
    """A node that was started. All methods can be called from any thread, more than once."""

    spec: NodeSpec

    @property
    def pid(self) -> int:
        """The host's number of the node's first process."""

    def stop(self, grace: float = STOP_SECONDS) -> None:
        """SIGTERM to its command; SIGKILL to all of it after *grace* seconds. Returns at once."""

    def kill(self) -> None:
        """End all of it at once, as when its host fails."""

    def connect(self, port: int, timeout: float) -> socket.socket:
        """A connection to a port that the node listens on.

        :raises OSError: nothing listens there (yet).
        """

    def wait(self, timeout: float | None = None) -> End | None:
        """How it ended, when its last line was heard; None where *timeout* seconds went by."""


class Machine(Protocol):
    """Where nodes run: this host, its nodes kept apart as far as it can."""

    isolation: str
    """How, for people: ``namespaces``, or ``none``."""

    reason: str
    """Why it is no better than that; empty for ``namespaces``."""

    def start(self, spec: NodeSpec, heard: Heard) -> Node:
        """:raises OSError: the machine can't have the node; the message says why."""

    def close(self) -> None:
        """Kill every node, and wait until nothing of them is left."""
