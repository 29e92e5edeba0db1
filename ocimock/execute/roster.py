"""The nodes that a machine has now."""

from __future__ import annotations

import threading

from .running import RunningNode
from .specs import NodeSpec


class Roster:
    """Who is there, to be ended with the machine."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._nodes: list[RunningNode] = []
        self._closed = False

    def check_open(self, spec: NodeSpec) -> None:
        """:raises OSError: the machine was closed."""
        if self._closed:
            raise OSError(f"{spec.name} can't be started: all that runs here is being ended")

    def add(self, node: RunningNode) -> None:
        """One that comes when the machine has closed meanwhile is killed."""
        with self._changing:
            here = [other for other in self._nodes if other.wait(0) is None]
            self._nodes = [*here, node]
            late = self._closed
        if late:
            node.kill()
            node.wait()

    def close(self) -> None:
        """Kill all, and wait until nothing of them is left."""
        with self._changing:
            self._closed = True
            nodes = list(self._nodes)
        for node in nodes:
            node.kill()
        for node in nodes:
            node.wait()
