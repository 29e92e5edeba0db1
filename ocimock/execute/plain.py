"""Nodes that are processes of the host, and no more than that."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from . import processes
from .affinity import Cores
from .meters import Meter, ResidentMemory, WrittenDisk
from .nodes import Heard, Node
from .relay import Relay
from .roster import Roster
from .running import RunningNode, settle
from .sandbox.frames import Channel
from .specs import NodeSpec

# How long what got away from a node may hold its output open, in seconds.
_PATIENCE = 2.0


class PlainMachine:
    """Nodes told apart by loopback addresses alone: nothing is bound, nothing hidden.

    Their ends and limits are as elsewhere: all processes that come of a node are its own.
    """

    isolation = "none"

    def __init__(self, reason: str = "asked for") -> None:
        self.reason = reason
        self._relay = Relay()
        self._cores = Cores()
        self._roster = Roster()

    def start(self, spec: NodeSpec, heard: Heard) -> Node:
        self._roster.check_open(spec)
        held = ExitStack()
        try:
            node = self._started(spec, heard, held)
        except BaseException:
            held.close()
            raise
        self._roster.add(node)
        return node

    def close(self) -> None:
        self._roster.close()

    def _started(self, spec: NodeSpec, heard: Heard, held: ExitStack) -> RunningNode:
        output, write = os.pipe()
        held.callback(os.close, output)
        try:
            channel, process = processes.start("plain", str(write), files=[write])
        finally:
            os.close(write)
        held.callback(processes.wait, process)
        held.callback(channel.close)
        settle(channel, self._told(spec))
        for port, (host, other) in spec.forwards.items():
            self._forward(port, host, other, heard, held)
        channel.send({"do": "go"})
        keeper = _Keeper(channel, held)
        return RunningNode(
            spec, heard, channel, output, keeper,
            pid=process.pid, meters=_meters(spec, process), patience=_PATIENCE,
        )  # fmt: skip

    def _told(self, spec: NodeSpec) -> dict[str, Any]:
        return {
            "name": spec.name,
            "command": list(spec.command),
            "environment": dict(spec.environment),
            "working_directory": spec.working_directory,
            "cpus": self._cores.take(spec.limits.cpus),
        }

    def _forward(self, port: int, host: str, other: int, heard: Heard, held: ExitStack) -> None:
        """On the host's own loopback interface, where the port is free."""
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError as error:
            listener.close()
            if (host, other) != ("127.0.0.1", port):
                heard(f"ocimock: port {port} does not lead to {host}:{other}: {error.strerror}")
            return
        held.callback(self._relay.serve(listener, host, other))


class _Keeper:
    """A node, by the process that adopts all that comes of it."""

    def __init__(self, channel: Channel, held: ExitStack) -> None:
        self._channel = channel
        self._held = held

    def kill(self) -> None:
        with suppress(OSError):
            self._channel.send({"do": "kill"})

    def dial(self, node: RunningNode, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((node.spec.address, port), timeout)

    def ended(self) -> None:
        self._held.close()


def _meters(spec: NodeSpec, process: subprocess.Popen[bytes]) -> list[Meter]:
    meters: list[Meter] = []
    if spec.limits.memory is not None and Path("/proc/self").is_dir():
        meters.append(ResidentMemory(process.pid, spec.limits.memory))
    if spec.limits.disk is not None:
        read_only = [bind.source for bind in spec.binds if bind.read_only]
        meters.append(WrittenDisk(spec.folder, spec.limits.disk, read_only))
    return meters
