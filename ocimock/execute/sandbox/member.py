"""The first process of a node that is kept apart: its namespaces, its cable, its file system."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import kernel
from .frames import Channel
from .init import First
from .netlink import Links
from .tree import Tree

_NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
_INTERFACE = "eth0"
_BACKLOG = 128


class Member:
    """A node of a network, from its first process's point of view."""

    def __init__(
        self,
        channel: Channel,
        output: int,
        cable: str,
        bridge: str,
        rootless: tuple[int, int] | None,
    ) -> None:
        self._channel = channel
        self._output = output
        self._cable = cable
        self._bridge = bridge
        self._rootless = rootless

    def run(self) -> None:
        received = self._channel.receive()
        if received is None:
            return
        spec = {**received[0], "rootless": self._rootless is not None}
        try:
            notes, listening = self._settle(spec)
        except OSError as error:
            self._channel.send({"event": "failed", "message": str(error)})
            return
        ports = list(listening)
        files = [listening[port].fileno() for port in ports]
        self._channel.send({"event": "ready", "notes": notes, "ports": ports}, files)
        for listener in listening.values():
            listener.close()
        if self._channel.receive() is None:
            return
        First(
            self._channel, self._output, _signal_all, dial=_dial, before_command=self._lower_oneself
        ).run(spec)

    def _settle(self, spec: Mapping[str, Any]) -> tuple[list[str], dict[int, socket.socket]]:
        outside, bridge = Links(), socket.if_nametoindex(self._bridge)
        kernel.unshare(_NAMESPACES)
        socket.sethostname(spec["name"])
        inside = Links()
        inside.up(socket.if_nametoindex("lo"))
        namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        # An address has one hardware address for good: neighbours may remember it from before.
        mac = b"\x02\x00" + socket.inet_aton(spec["address"])
        outside.add_cable(self._cable, bridge, _INTERFACE, mac, namespace)
        own = socket.if_nametoindex(_INTERFACE)
        inside.add_address(own, spec["address"], spec["prefix_length"])
        inside.up(own)
        os.close(namespace)
        inside.close()
        outside.close()
        listening = {port: _listening(port) for port in spec["forwards"]}
        tree = Tree(spec)
        tree.build()
        kernel.drop_privileges()
        return tree.notes, listening

    def _lower_oneself(self) -> None:
        """The user whom root stands for here again: what is unpacked has no other owners."""
        if self._rootless is None:
            return
        user, group = self._rootless
        with suppress(OSError):
            kernel.unshare(kernel.CLONE_NEWUSER)
            kernel.map_user((user, 0), (group, 0))


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def _dial() -> int:
    return socket.socket().detach()


def _signal_all(number: int) -> None:
    """All of the PID namespace but its first process, which this is."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.Signals(number))
