"""What a run tells: JSON lines on rank 0's standard output, kept in ``metrics.jsonl`` too."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .parallel import World


@dataclass(frozen=True)
class Journal:
    """The lines of a run. Only rank 0 writes any."""

    path: Path
    speaks: bool

    def metric(self, name: str, step: int, **values: Any) -> None:
        """A measurement: ``{"metric": "train", "step": 10, "loss": …, "time": …}``."""
        self._write({"metric": name, "step": step, **values})

    def event(self, name: str, **values: Any) -> None:
        """Something that happened: ``{"event": "checkpoint", "step": 10, "uri": …}``."""
        self._write({"event": name, **values})

    def begin_with(self, earlier: str) -> None:
        """Put the lines of the run that is gone on with before those of this one."""
        now = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        self.path.write_text(earlier + now, encoding="utf-8")

    def _write(self, line: dict[str, Any]) -> None:
        if not self.speaks:
            return
        text = json.dumps({**line, "time": round(time.time(), 3)})
        print(text, flush=True)
        with self.path.open("a", encoding="utf-8") as journal:
            journal.write(text + "\n")


@dataclass
class Window:
    """The steps since the last line: their losses stay on the device until they are read.

    Reading a loss waits for the GPU, so it is done once for many steps.
    """

    losses: list[Any] = field(default_factory=list)  # this rank's parts
    earlier_loss: float = 0.0  # sum over the steps before a resume
    earlier_steps: int = 0
    tokens: int = 0
    started: float = field(default_factory=time.perf_counter)

    def add(self, loss: Any, tokens: int) -> None:
        self.losses.append(loss)
        self.tokens += tokens

    def settle(self, world: World) -> None:
        """Read the losses of all ranks: a collective operation that waits for the device."""
        if self.losses:
            whole = world.sum(torch.stack(self.losses).double())
            self.earlier_loss += float(whole.sum())
            self.earlier_steps += len(self.losses)
            self.losses.clear()

    def mean_loss(self) -> float:
        return self.earlier_loss / max(1, self.earlier_steps)

    def tokens_per_second(self) -> float:
        return self.tokens / max(1e-9, time.perf_counter() - self.started)


def gpu_memory_gb(device: Any) -> float:
    """The most memory that tensors held on this GPU since the training began, in 10^9 bytes; 0 on
    a CPU."""
    if device.type != "cuda":
        return 0.0
    most: int = torch.cuda.max_memory_allocated(device)
    return round(most / 1e9, 3)
