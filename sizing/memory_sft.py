"""The memory of a training by the recipe ``sft``, at each point of a step that may be its fullest.

From jobs/recipes/sft: FSDP2 by layer, LoRA in fp32 on a frozen base in the type that is computed
in, full training in fp32 with matrices in bf16; documents end to end in one row without padding;
the loss by chunks of 1,024 tokens. One process alone shards nothing and leaves types to autocast.
"""

from __future__ import annotations

from collections.abc import Iterator

from .memory_sft_staying import Staying
from .terms import Moment, Term, size

LOSS_CHUNK = 1024
"""Tokens whose logits are there at once: jobs/recipes/sft/loss.py."""


class Sft(Staying):
    """The moments of a step, beside what stays."""

    def moments(self) -> Iterator[Moment]:
        """The points of a step, one of which is the fullest."""
        yield self._loss()
        layers = self.model.layers
        for index in sorted({layers - 1, layers - 2, 1, 0} & set(range(layers))):
            yield self._backward(index)
            if self.sharded and self.full:
                yield self._reduce_layer(index)
        if self.sharded and self.full:
            yield self._reduce_outer()
        yield self._update()

    # What comes and goes

    def _kept(self, layers: int) -> Term:
        """Of *layers*, for the backward pass."""
        if self.training.checkpointing:
            each: float = self.numbers.residual * self.model.hidden_size * self.tokens
            why = f"checkpointing: the inputs of {layers} layers, {size(each)} each"
        else:
            each = self.layer.saved * self.tokens
            why = f"all that {layers} layers' backward needs, {size(each)} each"
        return Term("activations", layers * each, f"{why} ({self.tokens:,} tokens)")

    @property
    def _angles(self) -> float:
        """Rotary cosines and sines of every token."""
        return 2 * self.model.head_dim * self.numbers.residual * self.tokens

    def _casts(self, layers: int, head: bool) -> float:
        """What autocast holds of weights in bf16."""
        if self.sharded or self.numbers.compute == 4:
            return 0
        if not self.full:
            return 2 * self.lora / self.model.layers * layers
        matrices = sum(inputs * outputs for inputs, outputs in self.model.linears.values())
        return 2 * (layers * matrices + (self.head if head else 0))

    def _loss(self) -> Moment:
        """The logits of a chunk, before any gradient but the output layer's."""
        compute, hidden, words = self.numbers.compute, self.model.hidden_size, self.model.vocab_size
        residual = self.numbers.residual
        chunk = min(LOSS_CHUNK, self.tokens) * words
        slopes = (4 + (2 if compute == 2 else 0)) * chunk + (
            compute * self.head if self.full else 0
        )
        logits = max(8 * chunk, slopes)
        by_weight = 4 * self.head if self.full else 0
        norm = 4 + residual + (residual if self.full else 0)
        places = (norm + 2 * compute) * hidden * self.tokens
        why = f"logits of {min(LOSS_CHUNK, self.tokens):,} of {words:,} words {size(logits)}"
        if self.full:
            why += f", the output layer's gradient in fp32 {size(by_weight)}"
        why += f", last norm and gradients by it {size(places)}"
        extra = self._angles + self._casts(self.model.layers, head=True)
        return self._moment(
            "loss",
            self._gathered(1),
            self._gradients(0, "none yet"),
            self._kept(self.model.layers),
            Term("working set", extra, "rotary angles, weights that autocast holds in bf16"),
            Term("loss", logits + by_weight + places, why),
        )

    def _backward(self, index: int) -> Moment:
        """In the middle of layer *index*'s MLP."""
        layer, tokens = self.layer, self.tokens
        working = layer.mlp_backward
        why = "in the MLP's backward pass: three gradients of its width, one of the layer's"
        held = 1
        if self.training.checkpointing:
            working += layer.saved - layer.entry
            why = f"layer computed again {size((layer.saved - layer.entry) * tokens)}, then {why}"
        else:
            held = index + 1
        working = working * tokens + self._angles + self._casts(held, head=False)
        held_grads, grads_why = self._done(index)
        return self._moment(
            "backward",
            self._gathered(2 if index else 1),
            self._gradients(held_grads, grads_why),
            self._kept(index + 1),
            Term("working set", working, why),
            Term("loss", 0, "its logits are gone"),
        )

    def _done(self, index: int) -> tuple[float, str]:
        """Bytes of gradients when the backward pass is in layer *index*."""
        model, done = self.model, self.model.layers - 1 - index
        if not self.full:
            each = self.lora_share if self.training.accumulation == 1 else 0
            return 4 * each * done / model.layers, f"LoRA's, of {done} layers"
        compute = self.numbers.compute
        first = model.hidden_size * model.intermediate_size  # down_proj's, the first of a layer
        if not self.sharded:
            held = 4 * (self.head + done * model.layer_parameters + first)
            return held, f"in fp32: the output layer's, and of {done} layers"
        shards = 4 * done * model.layer_parameters / self.gpus
        if self.training.accumulation > 1:
            shards = 0
        reducing = 4 * model.layer_parameters if done else 0
        own = compute * (self.head + first)
        return shards + reducing + own, (
            f"this GPU's share of {done} layers' {size(shards)}, the layer being summed in fp32 "
            f"{size(reducing)}, the output layer's {size(compute * self.head)}"
        )

    def _reduce_layer(self, index: int) -> Moment:
        """Layer *index*'s gradients go to the GPUs that keep them."""
        model, compute = self.model, self.numbers.compute
        done = model.layers - index
        shards = 4 * done * model.layer_parameters / self.gpus
        if self.training.accumulation > 1:
            shards = 4 * model.layer_parameters / self.gpus
        whole = (4 + compute) * model.layer_parameters
        held = shards + whole + compute * self.head
        flowing = 2 * self.numbers.residual * model.hidden_size * self.tokens
        return self._moment(
            "reduction of a layer",
            self._gathered(1 if index else 0),
            self._gradients(
                held, f"a layer's, whole, in two types {size(whole)}; shares {size(shards)}"
            ),
            self._kept(index),
            Term("working set", flowing + self._angles, "gradients between two layers"),
            Term("loss", 0, "its logits are gone"),
        )

    def _reduce_outer(self) -> Moment:
        """The same for embeddings and output layer, at the end of the backward pass."""
        model, compute = self.model, self.numbers.compute
        shards = 4 * model.parameters / self.gpus
        if self.training.accumulation > 1:
            shards = 4 * model.outer_parameters / self.gpus
        whole = (4 + compute) * model.outer_parameters
        return self._moment(
            "reduction of the embeddings",
            self._gathered(0, outer=False),
            self._gradients(
                shards + whole,
                f"embeddings' and output layer's, whole, in two types {size(whole)}; "
                f"shares {size(shards)}",
            ),
            self._kept(0),
            Term("working set", self._angles, "rotary angles"),
            Term("loss", 0, "its logits are gone"),
        )

    def _update(self) -> Moment:
        """The optimizer's step. On GPUs it is one fused kernel, which needs no copies."""
        copies = 0.0
        if self.on_cpu:
            copies = 2 * 4 * self._largest / self.gpus
        whole = self.lora_share if not self.full else self.model.parameters / self.gpus
        return self._moment(
            "optimizer's step",
            self._gathered(0, outer=False) if self.full else self._gathered(0),
            Term("gradients", 4 * whole, "all of this GPU's, in fp32"),
            self._kept(0),
            Term("working set", copies, "fused: no copies" if not self.on_cpu else "two copies"),
            Term("loss", 0, "its logits are gone"),
        )

    @property
    def _largest(self) -> float:
        """Numbers of the largest trained tensor."""
        model = self.model
        if self.full:
            return max(self.head, model.hidden_size * model.intermediate_size)
        return self.training.lora_rank * max(model.hidden_size, model.intermediate_size)

    def _moment(self, name: str, *passing: Term) -> Moment:
        gathered, gradients, *rest = passing
        return Moment(name, (self._weights(), gathered, gradients, self._optimizer(), *rest))
