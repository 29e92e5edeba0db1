"""What a training by the recipe ``sft`` is, and what of it stays in memory from step to step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from .activations import Layer, Numbers
from .models import Model
from .terms import Term, size
from .training import Training


@dataclass(frozen=True)
class Staying:
    """One training on *gpus*; *on_cpu* is for the calibration, which has no GPU."""

    model: Model
    training: Training
    gpus: int
    on_cpu: bool = False

    # What the training is

    @property
    def full(self) -> bool:
        return self.training.method == "full"

    @property
    def sharded(self) -> bool:
        return self.gpus > 1

    @property
    def tokens(self) -> int:
        return self.training.tokens_of_a_batch

    @cached_property
    def numbers(self) -> Numbers:
        compute = 2 if self.training.precision == "bf16" else 4
        return Numbers(compute, autocast=compute == 2 and self.full and not self.sharded)

    @cached_property
    def layer(self) -> Layer:
        return Layer(self.model, self.training, self.numbers, self.on_cpu)

    @property
    def head(self) -> int:
        """Numbers of the output layer."""
        return self.model.embedding_parameters

    # What stays from step to step

    @cached_property
    def lora(self) -> int:
        """LoRA's numbers, of all layers."""
        if self.full:
            return 0
        return self.model.lora_parameters(self.training.lora_rank, self.training.lora_targets)

    @cached_property
    def lora_share(self) -> int:
        """Those that one GPU keeps: FSDP cuts rows, and A has no more rows than its rank."""
        rank, cut = self.training.lora_rank, self.gpus
        linears = (self.model.linears[name] for name in self.training.lora_targets)
        rows = (
            math.ceil(rank / cut) * inputs + math.ceil(outputs / cut) * rank
            for inputs, outputs in linears
        )
        return 0 if self.full else self.model.layers * sum(rows)

    @cached_property
    def trained_share(self) -> float:
        """Trained numbers that one GPU keeps."""
        return self.model.parameters / self.gpus if self.full else self.lora_share

    def _weights(self) -> Term:
        shard, cut = self.model.parameters / self.gpus, _cut(self.gpus)
        if self.full:
            return Term("weights", 4 * shard, f"{_billions(self.model.parameters)} x 4 bytes{cut}")
        base = self.numbers.compute * shard
        return Term(
            "weights",
            base + 4 * self.lora_share,
            f"{_billions(self.model.parameters)} x {self.numbers.compute} bytes{cut}, "
            f"and LoRA's {self.lora / 1e6:.1f} M x 4",
        )

    def _optimizer(self) -> Term:
        what = "all" if self.full else "LoRA's"
        return Term(
            "optimizer",
            8 * self.trained_share,
            f"AdamW: two fp32 numbers for each of {what} {self.trained_share / 1e6:.1f} M here",
        )

    def _gathered(self, layers: int, outer: bool = True) -> Term:
        """Whole units of FSDP: *layers* of them, and what is in no layer."""
        name = "gathered layers"
        if not self.sharded:
            return Term(name, 0, "one GPU: it has all of every layer")
        compute = self.numbers.compute
        one = compute * (self.model.layer_parameters + self.lora / self.model.layers)
        rest = compute * self.model.outer_parameters if outer else 0
        why = f"{layers} of {size(one)}"
        if outer:
            why += f", embeddings and output layer {size(rest)}"
        return Term(name, layers * one + rest, why)

    def _gradients(self, held: float, why: str) -> Term:
        """*held*: bytes of those of this pass; with accumulation the earlier ones' sum is there."""
        if self.training.accumulation > 1:
            whole = self.lora if not self.full else self.model.parameters / self.gpus
            held, why = held + 4 * whole, f"the sum of earlier passes in fp32, and {why}"
        return Term("gradients", held, why)


def _cut(gpus: int) -> str:
    return f" / {gpus} GPUs" if gpus > 1 else ""


def _billions(count: float) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e9 else f"{count / 1e6:.1f} M"
