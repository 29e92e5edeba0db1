"""How a model is trained, as far as memory and time depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["lora", "full"]
Recipe = Literal["sft", "llama-recipes"]

LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""What the recipe sft adds LoRA to."""


@dataclass(frozen=True)
class Training:
    """*batch_size* is rows a GPU takes at once, *max_length* tokens of a row, *accumulation* the
    batches between two updates. Either *epochs* or *max_steps* says how long it is."""

    method: Method = "lora"
    recipe: Recipe = "sft"
    batch_size: int = 4
    max_length: int = 2048
    accumulation: int = 1
    checkpointing: bool = True
    packing: bool = True
    precision: Literal["bf16", "fp32"] = "bf16"
    epochs: float | None = 3
    max_steps: int | None = None
    lora_rank: int = 8
    lora_targets: tuple[str, ...] = LINEAR_LAYERS

    @property
    def tokens_of_a_batch(self) -> int:
        """On one GPU."""
        return self.batch_size * self.max_length
