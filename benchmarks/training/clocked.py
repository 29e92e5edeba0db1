"""Run a training script with a clock in it.

    torchrun … clocked.py WARM_UP STEPS SCRIPT [ARGUMENT …]

The script is not changed: the optimizer's steps are counted by PyTorch's own hook, the tokens by
the shape of what Llama's forward is given while it trains. After the last counted step the process
says what it measured, as a line of JSON, and ends. It imports nothing of this repository: it runs
in the peer's environment.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any


class Clock:
    """Counts optimizer steps and tokens between the warm-up and the last step."""

    def __init__(self, warm_up: int, steps: int) -> None:
        self._warm_up = warm_up
        self._steps = steps
        self._done = 0
        self._tokens = 0
        self._started = 0.0

    def saw(self, tokens: int) -> None:
        """A forward pass of the training read so many tokens."""
        self._tokens += tokens

    def stepped(self) -> dict[str, float] | None:
        """The optimizer made a step; after the last one, what was measured."""
        self._done += 1
        if self._done == self._warm_up:
            synchronize()
            self._tokens, self._started = 0, time.perf_counter()
        if self._done < self._warm_up + self._steps:
            return None
        synchronize()
        seconds = time.perf_counter() - self._started
        return {
            "tokens_per_second": round(self._tokens / seconds, 1),
            "gpu_memory_gb": round(peak_memory() / 1e9, 3),
            "steps": self._steps,
        }


def synchronize() -> None:
    """Wait for the GPU, where there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_memory() -> int:
    """The most bytes that tensors held on this GPU."""
    import torch

    most: int = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return most


def main(words: list[str]) -> None:
    warm_up, steps, script, *arguments = words
    install(Clock(int(warm_up), int(steps)))
    sys.argv = [script, *arguments]
    # As torchrun would start it: its own folder first, then the checkout's package.
    sys.path[0] = str(Path(script).resolve().parent)
    sys.path.insert(0, str(Path(script).resolve().parents[1] / "src"))
    runpy.run_path(script, run_name="__main__")


def install(clock: Clock) -> None:
    """Put the clock where the optimizer steps and where the model reads."""
    from torch.optim.optimizer import register_optimizer_step_post_hook
    from transformers.models.llama import modeling_llama

    forward = modeling_llama.LlamaModel.forward

    def counted(self: Any, *positional: Any, **given: Any) -> Any:
        tokens = given["input_ids"] if "input_ids" in given else positional[0]
        if self.training and tokens is not None:
            clock.saw(tokens.numel())
        return forward(self, *positional, **given)

    def stepped(*_: Any) -> None:
        measured = clock.stepped()
        if measured is not None:
            if os.environ.get("RANK", "0") == "0":
                print(json.dumps(measured), flush=True)
            os._exit(0)

    modeling_llama.LlamaModel.forward = counted
    register_optimizer_step_post_hook(stepped)


if __name__ == "__main__":
    main(sys.argv[1:])
