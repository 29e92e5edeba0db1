"""A network of nodes: a bridge in a network namespace of its own, and the nodes that hang on it.

Nothing of it is in the host's own network: its addresses can be any, and two mocks never meet. The
process is the first of a PID namespace, so that the kernel ends all of it when this ends; it ends
when ocimock's end of the channel closes, however that came about.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress

from . import kernel, plain
from .frames import Channel
from .member import Member
from .netlink import Links

BRIDGE = "bridge"


def main() -> None:
    """``fabric CHANNEL [CGROUP]`` or ``plain CHANNEL OUTPUT``: the numbers are of open files."""
    kind, number, *more = sys.argv[1:]
    os.set_inheritable(int(number), False)
    channel = Channel(socket.socket(fileno=int(number)))
    if kind == "plain":
        plain.run(channel, int(more[0]))
        return
    rootless = _enter_namespaces(channel)
    pid = os.fork()
    if pid == 0:
        try:
            kernel.end_with_parent()
            Fabric(channel, rootless).run()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            os._exit(0)
    channel.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    os.waitpid(pid, 0)
    for folder in more:
        remove_groups(folder)


def _enter_namespaces(channel: Channel) -> tuple[int, int] | None:
    """A PID namespace for the children to come; the user and group that root stands for, if so."""
    user, group = os.geteuid(), os.getegid()
    try:
        if user == 0:
            with suppress(OSError):
                kernel.unshare(kernel.CLONE_NEWPID)
                return None
        kernel.unshare(kernel.CLONE_NEWUSER)
        kernel.map_user((0, user), (0, group))
        kernel.unshare(kernel.CLONE_NEWPID)
    except OSError as error:
        channel.send({"event": "failed", "message": f"user namespaces: {error.strerror}"})
        sys.exit(1)
    return user, group


def remove_groups(folder: str, tries: int = 100) -> None:
    """A control group and those in it, once the kernel has seen their last process go."""
    for _ in range(tries):
        with suppress(OSError):
            for entry in os.scandir(folder):
                if entry.is_dir():
                    with suppress(OSError):
                        os.rmdir(entry.path)
            os.rmdir(folder)
        if not os.path.isdir(folder):
            return
        time.sleep(0.01)


class Fabric:
    """The loop of a network's process: starts nodes, reaps them."""

    def __init__(self, channel: Channel, rootless: tuple[int, int] | None) -> None:
        self._channel = channel
        self._rootless = rootless
        self._count = 0

    def run(self) -> None:
        try:
            kernel.unshare(kernel.CLONE_NEWNET)
            links = Links()
            links.up(socket.if_nametoindex("lo"))
            links.add_bridge(BRIDGE)
            links.close()
            own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._channel.send({"event": "failed", "message": f"network: {error}"})
            return
        self._channel.send({"event": "ready"})
        # Nobody waits for the nodes here: each tells its own end.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            received = self._channel.receive()
            if received is None:
                return
            self._start(received[1], own)

    def _start(self, files: list[int], own: int) -> None:
        self._count += 1
        kernel.unshare(kernel.CLONE_NEWPID)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_node(files)
        finally:
            kernel.enter(own)
            for file in files:
                os.close(file)

    def _be_node(self, files: list[int]) -> None:
        try:
            self._channel.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel = Channel(socket.socket(fileno=files[0]))
            Member(channel, files[1], f"node{self._count}", BRIDGE, self._rootless).run()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            os._exit(0)
