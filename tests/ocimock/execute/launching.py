"""Nodes for tests: what they said, and how they ended."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocimock.execute.nodes import Machine, Node
from ocimock.execute.specs import End, NodeSpec

PYTHON = (sys.executable, "-I", "-S", "-u", "-c")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_PATIENCE = 20.0
_numbers = itertools.count(2)


@dataclass
class Started:
    """A node and its lines, as they come."""

    node: Node
    lines: list[str] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, line: str) -> None:
        with self._more:
            self.lines.append(line)
            self._more.notify_all()

    def until(self, line: str) -> None:
        """Wait until it has said that."""
        with self._more:
            assert self._more.wait_for(lambda: line in self.lines, _PATIENCE), self.lines

    def until_there_are(self, count: int) -> None:
        """Wait until it has said so many lines."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.lines) >= count, _PATIENCE), self.lines

    def end(self) -> End:
        end = self.node.wait(_PATIENCE)
        assert end is not None, f"it goes on: {self.lines}"
        return end


@dataclass(frozen=True)
class Launcher:
    """Starts nodes on one machine, each in a folder of its own."""

    machine: Machine
    folder: Path

    @property
    def kept_apart(self) -> bool:
        return self.machine.isolation == "namespaces"

    def start(self, *command: str, environment: Mapping[str, str] = {}, **more: Any) -> Started:
        number = next(_numbers)
        folder = self.folder / f"node{number}"
        folder.mkdir(exist_ok=True)
        address = f"10.0.0.{number % 250}" if self.kept_apart else "127.0.0.1"
        told: dict[str, Any] = {
            "name": f"node{number}", "folder": folder, "working_directory": "/",
            "network": "subnet", "address": address,
        }  # fmt: skip
        spec = NodeSpec(
            command=command, environment={**ENVIRONMENT, **environment}, **{**told, **more}
        )
        started = Started(None)  # type: ignore[arg-type]
        started.node = self.machine.start(spec, started.hear)
        return started

    def python(self, code: str, **more: Any) -> Started:
        return self.start(*PYTHON, code, **more)

    def shell(self, script: str, **more: Any) -> Started:
        return self.start("sh", "-c", script, **more)

    def run(self, *command: str, **more: Any) -> tuple[End, list[str]]:
        started = self.start(*command, **more)
        return started.end(), started.lines
