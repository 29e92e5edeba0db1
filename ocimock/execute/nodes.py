"""Running nodes: start one, hear what it says, stop it, learn how it ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Protocol

from .specs import Cause, End, NodeSpec

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


class PlainMachine:
    """Nodes are processes of the host, told apart by loopback addresses alone."""

    isolation = "none"
    reason = "asked for"

    def __init__(self) -> None:
        self._nodes: list[_PlainNode] = []

    def start(self, spec: NodeSpec, heard: Heard) -> Node:
        node = _PlainNode(spec, heard)
        self._nodes.append(node)
        return node

    def close(self) -> None:
        for node in self._nodes:
            node.kill()
        for node in self._nodes:
            node.wait()


class _PlainNode:
    def __init__(self, spec: NodeSpec, heard: Heard) -> None:
        self.spec = spec
        self._heard = heard
        self._cause = Cause.EXITED
        self._end: End | None = None
        self._ended = threading.Event()
        command = list(spec.command)
        command[0] = shutil.which(command[0], path=spec.environment.get("PATH")) or command[0]
        self._process = subprocess.Popen(
            command, cwd=spec.working_directory, env=dict(spec.environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, grace: float = STOP_SECONDS) -> None:
        self._cause = Cause.STOPPED
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        if self._cause is Cause.EXITED:
            self._cause = Cause.KILLED
        self._signal(signal.SIGKILL)

    def connect(self, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.spec.address, port), timeout)

    def wait(self, timeout: float | None = None) -> End | None:
        self._ended.wait(timeout)
        return self._end

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard(line.decode("utf-8", "replace").rstrip("\r\n"))
        code = self._process.wait()
        if code < 0 and self._cause is Cause.EXITED:
            self._cause = Cause.SIGNALED
        self._end = End(self._cause, 128 - code if code < 0 else code)
        self._ended.set()
