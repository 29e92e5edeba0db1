"""The first process of a node that is a tree of the host's processes, and no more than that."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress

from . import kernel
from .frames import Channel
from .init import First


def run(channel: Channel, output: int) -> None:
    os.set_inheritable(output, False)
    kernel.adopt_orphans()
    received = channel.receive()
    if received is None:
        return
    channel.send({"event": "ready", "notes": [], "ports": []})
    if channel.receive() is None:
        return
    # Where this process is killed itself, the command at least goes with it.
    first = First(channel, output, _signal_descendants, before_command=kernel.end_with_parent)
    first.run(received[0])
    os._exit(0)


def _signal_descendants(number: int) -> None:
    for pid in _descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.Signals(number))


def _descendants(first: int) -> Iterator[int]:
    """Elsewhere than on Linux, one that left its parent behind is not found."""
    children: dict[int, list[int]] = {}
    for pid, parent in _by_proc() if os.path.isdir("/proc/self") else _by_ps():
        children.setdefault(parent, []).append(pid)
    waiting = [first]
    while waiting:
        found = children.get(waiting.pop(), [])
        waiting += found
        yield from found


def _by_proc() -> Iterator[tuple[int, int]]:
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # The second field is the command in brackets, which may hold any character.
            yield int(name), int(file.read().rpartition(b")")[2].split()[1])


def _by_ps() -> Iterator[tuple[int, int]]:
    words = ["ps", "-A", "-o", "pid=,ppid="]
    text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    for line in text.splitlines():
        pid, parent = line.split()
        yield int(pid), int(parent)
