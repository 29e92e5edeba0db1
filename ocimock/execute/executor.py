"""What executes the job runs and deployments of one mock: a machine, and who works on it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from . import folders
from .executor_addresses import Addresses
from .executor_paths import on_host
from .nodes import Heard, Machine, Node
from .settings import ExecutionSettings
from .specs import NodeSpec

# Seconds in which all that runs must have ended when the mock does.
_END_SECONDS = 8.0


class Worker(Protocol):
    """A thread that sees one job run, or one deployment, through. All methods return at once."""

    def nodes(self) -> list[Node]:
        """Its nodes that were started, in the order of their ranks; ended ones too."""

    def end(self) -> None:
        """The mock ends: stop the nodes soon, and write down what became of them."""

    def abandon(self) -> None:
        """What it works for is forgotten: kill the nodes, and write nothing any more."""

    def join(self, timeout: float) -> None:
        """Wait until it has ended."""


@dataclass(frozen=True)
class Address:
    """Where nodes reach the mock: a port of this machine's loopback interface."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Execution:
    """All that is shared by what executes.

    :param folder: where the nodes' folders are made; what an earlier mock left there goes.
    :param address: of the mock itself, for its nodes.
    :param ca_file: the certificate of its authority, for its nodes to trust.
    :raises OSError: what an earlier mock left in *folder* can't be removed.
    """

    def __init__(
        self,
        settings: ExecutionSettings,
        machine: Machine,
        *,
        folder: Path,
        address: Address,
        ca_file: Path,
    ) -> None:
        self.settings = settings
        self.machine = machine
        self.address = address
        self.ca_file = ca_file
        self._folder = folder
        self._workers: dict[str, Worker] = {}
        self._changing = threading.Lock()
        self.addresses = Addresses()
        self._numbers = itertools.count(1)
        self.is_ending = False
        if not folders.remove(folder):
            raise OSError(
                f"{folder} is of an earlier mock, and can't be removed by this user; remove it, or "
                "take another home with --home"
            )
        folder.mkdir(parents=True)

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """Names of the internet that something on this machine stands in for."""
        return self.settings.hosts

    @property
    def is_plain(self) -> bool:
        """Whether nodes are not kept apart: no networks of their own, nothing bound."""
        return self.machine.isolation == "none"

    def start(self, spec: NodeSpec, heard: Heard) -> Node:
        """Start a node, which calls the mock at :attr:`address`.

        :raises OSError: it can't be had; the message says why.
        """
        if self.is_plain:
            return self.machine.start(on_host(spec), heard)
        forwards = {self.address.port: (self.address.host, self.address.port), **spec.forwards}
        return self.machine.start(replace(spec, forwards=forwards), heard)

    def folder_of(self, identifier: str) -> Path:
        """A new folder for a job run or a deployment: its nodes' own ones, and what they share.

        After a reset OCIDs come again, when what had them before may still be ending.
        """
        return self._folder / f"{identifier.rpartition('.')[2][-12:]}-{next(self._numbers)}"

    def add(self, identifier: str, worker: Worker) -> None:
        """*worker* works for the resource *identifier* from now on."""
        with self._changing:
            self._workers[identifier] = worker

    def remove(self, identifier: str, worker: Worker) -> None:
        """It is done."""
        with self._changing:
            if self._workers.get(identifier) is worker:
                del self._workers[identifier]

    def worker(self, identifier: str) -> Worker | None:
        return self._workers.get(identifier)

    def workers(self) -> dict[str, Worker]:
        """Who works now, by the OCID of what they work for."""
        with self._changing:
            return dict(self._workers)

    def abandon(self) -> None:
        """All that they work for is forgotten."""
        for worker in self.workers().values():
            worker.abandon()

    def close(self) -> None:
        """End all that runs, and wait for it. Not under the cloud's lock: workers need it."""
        self.is_ending = True
        working = self.workers().values()
        for worker in working:
            worker.end()
        for worker in working:
            worker.join(_END_SECONDS)
        self.machine.close()
