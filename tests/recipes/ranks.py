"""Runs of ``recipes.sft`` on one rank or more, each in its own process.

Importing PyTorch and transformers takes seconds; here that is done once, in a server process that
computes nothing and from which the ranks are forked (multiprocessing's forkserver).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PRELOADED = [
    "accelerate",
    "peft",
    "safetensors.torch",
    "torch.distributed.checkpoint.state_dict",
    "torch.distributed.fsdp",
    "transformers.generation",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "jobs.recipes.sft.__main__",
    "jobs.recipes.sft.run",
]
_LIMIT = 60.0  # seconds after which a run counts as hanging


@dataclass(frozen=True)
class Ended:
    """How a run's ranks ended."""

    codes: tuple[int | None, ...]
    output: str  # rank 0's standard output
    errors: tuple[str, ...]  # every rank's standard error

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == name]

    def losses(self, metric: str = "train") -> dict[int, float]:
        """The loss of each step that was written down."""
        return {line["step"]: line["loss"] for line in self.lines if line.get("metric") == metric}


class Run:
    """A run that goes on; ``processes`` are its ranks."""

    def __init__(
        self, arguments: Sequence[Sequence[str]], folder: Path, ocid: str | None = None
    ) -> None:
        """*ocid* is the run's, as OCI would tell it."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        port = _free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.processes: list[BaseProcess] = [
            context.Process(
                target=_rank,
                args=(list(one), rank, len(arguments), port, str(folder), ocid),
                daemon=True,
            )
            for rank, one in enumerate(arguments)
        ]
        for process in self.processes:
            process.start()

    def ended(self) -> Ended:
        """Wait until all ranks have ended.

        Raises:
            AssertionError: one of them hangs.
        """
        for process in self.processes:
            process.join(_LIMIT)
        hanging = [rank for rank, one in enumerate(self.processes) if one.is_alive()]
        for rank in hanging:
            self.processes[rank].kill()
        errors = tuple(
            (self._folder / f"{rank}.err").read_text() for rank in range(len(self.processes))
        )
        assert not hanging, f"ranks {hanging} hang: {errors}"
        return Ended(
            codes=tuple(process.exitcode for process in self.processes),
            output=(self._folder / "0.out").read_text(),
            errors=errors,
        )


def run(arguments: Sequence[str], folder: Path, ranks: int = 1) -> Ended:
    """One run from start to end; ``folder`` is for what its ranks print."""
    return Run([arguments] * ranks, folder).ended()


def _rank(
    arguments: list[str], rank: int, size: int, port: int, folder: str, ocid: str | None
) -> None:
    for number, name in ((1, "out"), (2, "err")):
        opened = os.open(f"{folder}/{rank}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
    if ocid is not None:
        os.environ["JOB_RUN_OCID"] = ocid
    if size > 1:
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(size),
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=str(port),
        )
    import torch

    from jobs.recipes.sft.__main__ import main

    torch.set_num_threads(1)
    code = main(arguments)
    sys.stdout.flush()
    os._exit(code)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
