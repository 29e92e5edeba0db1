"""SIGTERM, Ctrl-C, a request: all ranks stop between the same two steps, whoever was told."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist

from .parallel import World

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSign:
    """Raised on any rank, by a signal or by :meth:`ask`, seen by all at the same step.

    The ranks ask one another once a step, and read the answer a step later: by then it is there,
    so that nobody waits for it.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._raised = False
        self.by = ""
        """Who asked for it; '' where it was a signal, or another rank was asked."""
        self._asked: tuple[Any, Any] | None = None
        self._before = {one: signal.signal(one, self._raise) for one in SIGNALS}

    def agreed(self) -> bool:
        """Whether all stop now; to be called by every rank, once a step."""
        if self._world.size == 1:
            return self._raised
        answer = self._answer()
        raised = torch.tensor(int(self._raised))
        work = dist.all_reduce(
            raised, op=dist.ReduceOp.MAX, group=self._world.control, async_op=True
        )
        self._asked = (work, raised)
        return answer

    def ask(self, by: str) -> None:
        """Stop after this step, as *by* asks; any thread may call it."""
        self.by, self._raised = by, True

    def close(self) -> None:
        """Signals do again what they did before."""
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def lower(self) -> None:
        """Wait for what is still asked; every rank calls it at the end."""
        self._answer()
        self._asked = None

    def _answer(self) -> bool:
        if self._asked is None:
            return False
        work, raised = self._asked
        work.wait()
        return bool(raised)

    def _raise(self, _number: int, _frame: FrameType | None) -> None:
        self._raised = True
