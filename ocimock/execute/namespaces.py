"""Nodes kept apart by Linux namespaces: each has its own processes, files and network."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from . import groups
from .affinity import Cores
from .fabrics import Fabric, Fabrics
from .meters import Meter, ResidentMemory, WrittenDisk
from .nodes import Heard, Node
from .relay import Relay
from .roster import Roster
from .running import RunningNode, settle
from .sandbox.frames import Channel
from .specs import NodeSpec


class NamespacedMachine:
    """Nodes of this host that know of one another by their network alone.

    :param hidden: folders and files of the host that no node sees.
    """

    isolation = "namespaces"
    reason = ""

    def __init__(self, hidden: Sequence[Path] = ()) -> None:
        self._hidden = [str(path.resolve()) for path in hidden]
        self._fabrics = Fabrics()
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
        """What it takes is in *held*, for the node to give back at its end."""
        fabric = self._fabrics.join(spec)
        held.callback(self._fabrics.leave, fabric, spec)
        channel, output = _first_process(fabric, held)
        ready, files = settle(channel, self._told(spec))
        pid = channel.sender
        assert pid is not None, "the kernel says who sends"
        process = os.pidfd_open(pid)
        held.callback(os.close, process)
        for port, file in zip(ready["ports"], files, strict=True):
            held.callback(self._relay.serve(socket.socket(fileno=file), *spec.forwards[port]))
        meters = _meters(spec, fabric, pid, held)
        for note in ready["notes"]:
            heard(f"ocimock: {note}")
        channel.send({"do": "go"})
        held.callback(_wait_for, process)
        keeper = _Keeper(process, held)
        return RunningNode(spec, heard, channel, output, keeper, pid=pid, meters=meters)

    def _told(self, spec: NodeSpec) -> dict[str, Any]:
        """What the node's first process is told of it."""
        python = os.path.realpath(spec.python) if spec.python is not None else None
        return {
            "name": spec.name,
            "folder": os.path.realpath(spec.folder),
            "command": list(spec.command),
            "environment": dict(spec.environment),
            "working_directory": spec.working_directory,
            "address": spec.address,
            "prefix_length": spec.prefix_length,
            "binds": [
                (os.path.realpath(bind.source), bind.target, bind.read_only) for bind in spec.binds
            ],
            "python": python,
            "python_at": spec.python_at,
            "shown": _interpreters(python),
            "hidden": self._hidden,
            "forwards": list(spec.forwards),
            "cpus": self._cores.take(spec.limits.cpus),
            "memory": spec.limits.memory,
        }


class _Keeper:
    """A node, by its first process: its end is the end of all of them."""

    def __init__(self, process: int, held: ExitStack) -> None:
        self._process = process
        self._held = held

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def dial(self, node: RunningNode, port: int, timeout: float) -> socket.socket:
        made = node.ask_for_socket(timeout)
        try:
            made.settimeout(timeout)
            made.connect((node.spec.address, port))
        except BaseException:
            made.close()
            raise
        return made

    def ended(self) -> None:
        self._held.close()


def _first_process(fabric: Fabric, held: ExitStack) -> tuple[Channel, int]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    held.callback(channel.close)
    channel.ask_sender()
    output, write = os.pipe()
    held.callback(os.close, output)
    with closing(theirs):
        try:
            fabric.start(theirs.fileno(), write)
        finally:
            os.close(write)
    return channel, output


def _meters(spec: NodeSpec, fabric: Fabric, pid: int, held: ExitStack) -> list[Meter]:
    meters: list[Meter] = []
    limits = spec.limits
    if limits.memory is not None:
        parent: groups.Parent | None = fabric.group
        group = parent.limited(spec.name, limits.memory, pid) if parent is not None else None
        if group is not None:
            held.callback(group.remove)
        meters.append(group or ResidentMemory(pid, limits.memory))
    if limits.disk is not None:
        read_only = [bind.source for bind in spec.binds if bind.read_only]
        meters.append(WrittenDisk(spec.folder, limits.disk, read_only))
    return meters


def _wait_for(process: int) -> None:
    """Until the process is gone; the first of a PID namespace is, when all in it are."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.poll()


def _interpreters(python: str | None) -> list[str]:
    """What a virtual environment can't do without: the installation that it was made from."""
    if python is None:
        return []
    settings = Path(python, "pyvenv.cfg")
    if not settings.is_file():
        return [python]
    for line in settings.read_text().splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            return [os.path.realpath(Path(value.strip()).parent)]
    return []
