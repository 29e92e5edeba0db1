"""Networks of nodes, each with the process that ``sandbox/fabric.py`` is."""

from __future__ import annotations

import threading

from . import groups, processes
from .specs import NodeSpec


class Fabric:
    """One network.

    :param memory: where its nodes' memory may be limited by control groups, if anywhere.
    :raises OSError: the kernel does not let this user have one.
    """

    def __init__(self, memory: groups.Parent | None) -> None:
        self.addresses: set[str] = set()
        self.group = memory.make() if memory is not None else None
        words = [str(self.group.folder)] if self.group is not None else []
        self._channel, self._process = processes.start("fabric", *words)
        self._starting = threading.Lock()
        received = self._channel.receive()
        if received is not None and received[0]["event"] == "ready":
            return
        self._channel.close()
        said = processes.last_words(self._process)
        self._remove_group()
        raise OSError(received[0]["message"] if received is not None else said)

    def start(self, channel: int, output: int) -> None:
        """A node that is told on *channel* what it is to be."""
        with self._starting:
            self._channel.send({}, [channel, output])

    def close(self) -> None:
        """End it, and all of its nodes."""
        self._channel.close()
        processes.wait(self._process)
        self._remove_group()

    def _remove_group(self) -> None:
        """Its process does so, also where ocimock is no more; but not where it was killed."""
        if self.group is not None:
            self.group.remove()


class Fabrics:
    """The networks in which there are nodes, by their names."""

    def __init__(self) -> None:
        self._memory = groups.find_parent()
        self._changing = threading.Lock()
        self._by_name: dict[str, Fabric] = {}

    def join(self, spec: NodeSpec) -> Fabric:
        """The node's network; the first one to join makes it.

        :raises OSError: the address is another node's, or there can be no network.
        """
        with self._changing:
            fabric = self._by_name.get(spec.network)
            if fabric is None:
                fabric = self._by_name[spec.network] = Fabric(self._memory)
            if spec.address in fabric.addresses:
                raise OSError(f"{spec.name}: another node of its network has {spec.address}")
            fabric.addresses.add(spec.address)
            return fabric

    def leave(self, fabric: Fabric, spec: NodeSpec) -> None:
        """The last one to leave ends it; nothing of it is left then."""
        with self._changing:
            fabric.addresses.discard(spec.address)
            if fabric.addresses:
                return
            self._by_name = {n: kept for n, kept in self._by_name.items() if kept is not fabric}
        fabric.close()
