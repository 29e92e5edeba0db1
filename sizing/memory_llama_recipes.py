"""The memory of a training by llama-recipes, at the commit that infra/llama_recipes.py pins.

What it is made of, by its source (src/llama_recipes/finetuning.py, configs/) and the packages of
its time: FSDP1 by layer; with ``--pure_bf16`` weights, gradients and AdamW's two states are all in
bf16; activations are checkpointed; attention is transformers 4.33's plain one, whose scores of
every pair of tokens are there in fp32; the loss is of all logits at once, in fp32. Derived, not
measured: its range is wider than that of ``sft``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .activations import Layer, Numbers
from .models import Model
from .terms import Moment, Term, size
from .training import Training


@dataclass(frozen=True)
class LlamaRecipes:
    """One training on *gpus*."""

    model: Model
    training: Training
    gpus: int

    def moments(self) -> Iterator[Moment]:
        """The points of a step, one of which is the fullest."""
        yield self._loss()
        yield self._backward("attention", self._attention_backward, self.model.layers - 1)
        yield self._backward("attention", self._attention_backward, 0)
        yield self._backward("MLP", self._mlp_backward, self.model.layers - 1)
        yield self._backward("MLP", self._mlp_backward, 0)
        yield self._update()

    @property
    def full(self) -> bool:
        return self.training.method == "full"

    @property
    def tokens(self) -> int:
        return self.training.tokens_of_a_batch

    @property
    def stored(self) -> int:
        """Bytes of a weight, a gradient and each state: all in bf16, or all in fp32."""
        return 2 if self.training.precision == "bf16" else 4

    @property
    def layer(self) -> Layer:
        return Layer(self.model, self.training, Numbers(2))

    @property
    def scores(self) -> int:
        """Pairs of tokens that attention weighs, of all heads and rows."""
        training = self.training
        return self.model.heads * training.batch_size * training.max_length**2

    @property
    def trained(self) -> float:
        """Numbers that are trained, of all GPUs."""
        if self.full:
            return self.model.parameters
        return self.model.lora_parameters(self.training.lora_rank, self.training.lora_targets)

    def _staying(self) -> tuple[Term, Term]:
        lora = 0.0 if self.full else self.trained
        shard = (self.model.parameters + lora) / self.gpus
        kind = "bf16" if self.stored == 2 else "fp32"
        return (
            Term(
                "weights",
                self.stored * shard,
                f"{self.model.parameters / 1e9:.2f} B x {self.stored} bytes / {self.gpus} GPUs",
            ),
            Term(
                "optimizer",
                2 * self.stored * self.trained / self.gpus,
                f"AdamW: two {kind} numbers for each of {self.trained / self.gpus / 1e6:.1f} M",
            ),
        )

    def _gathered(self, layers: int) -> Term:
        if self.gpus == 1:
            return Term("gathered layers", 0, "one GPU: it has all of every layer")
        one, outer = 2 * self.model.layer_parameters, 2 * self.model.outer_parameters
        why = f"{layers} of {size(one)}, embeddings and output layer {size(outer)}"
        return Term("gathered layers", layers * one + outer, why)

    def _gradients(self, index: int) -> Term:
        """When the backward pass is in layer *index*; with accumulation, all are there already."""
        model = self.model
        done = model.layers - 1 - index
        if not self.full:
            share = self.stored * self.trained / self.gpus
            return Term("gradients", share, "LoRA's")
        # FSDP1 hands embeddings and output layer on together, when both are whole.
        whole = 2 * (2 * model.layer_parameters + model.embedding_parameters)
        share = self.stored * done * model.layer_parameters / self.gpus
        if self.training.accumulation > 1:
            share = self.stored * model.parameters / self.gpus
        return Term(
            "gradients",
            share + whole,
            f"this GPU's share {size(share)}; whole: two layers' and the output layer's "
            f"{size(whole)}",
        )

    def _kept(self, layers: int) -> Term:
        if self.training.checkpointing:
            each: float = 2 * self.model.hidden_size * self.tokens
            why = f"checkpointing: the inputs of {layers} layers, {size(each)} each"
        else:
            each = self._saved
            why = f"all that {layers} layers' backward needs, {size(each)} each"
        return Term("activations", layers * each, f"{why} ({self.tokens:,} tokens)")

    @property
    def _saved(self) -> float:
        """Of a layer: the scores' softmax is kept in fp32 and in bf16."""
        return self.layer.saved * self.tokens + 6 * self.scores

    @property
    def _mlp_backward(self) -> float:
        again = self._saved if self.training.checkpointing else 0
        return again + self.layer.mlp_backward * self.tokens

    @property
    def _attention_backward(self) -> float:
        """The MLP is done; beside the softmax in fp32, its gradient and that of its input."""
        layer, tokens = self.layer, self.tokens
        if not self.training.checkpointing:
            return (8 - 2) * self.scores - layer.mlp * tokens
        rest = layer.norms + layer.attention + layer.adapters + 2 * self.model.hidden_size
        return rest * tokens + 12 * self.scores

    def _loss(self) -> Moment:
        """Logits in fp32, a shifted copy of them, and their log-softmax: 12 bytes for each."""
        logits = 12 * self.tokens * self.model.vocab_size
        places = 4 * 2 * self.model.hidden_size * self.tokens
        return self._moment(
            "loss",
            self._gathered(1),
            Term("gradients", self._accumulated, "none yet, or the sum of earlier passes"),
            self._kept(self.model.layers),
            Term("working set", 0, "between the passes"),
            Term(
                "loss",
                logits + places,
                f"all logits three times in fp32: {self.tokens:,} tokens x "
                f"{self.model.vocab_size:,} words x 12 bytes",
            ),
        )

    @property
    def _accumulated(self) -> float:
        if self.training.accumulation == 1:
            return 0
        return self.stored * self.trained / self.gpus

    def _backward(self, part: str, working: float, index: int) -> Moment:
        return self._moment(
            f"backward of the {part}",
            self._gathered(2 if index else 1),
            self._gradients(index),
            self._kept(index + 1),
            Term(
                "working set",
                working,
                f"a layer's {part} computed backward; its scores "
                f"({self.model.heads} heads x {self.training.max_length:,}² tokens x "
                f"{self.training.batch_size} rows) take {size(4 * self.scores)} in fp32",
            ),
            Term("loss", 0, "its logits are gone"),
        )

    def _update(self) -> Moment:
        """AdamW over lists of tensors makes a copy of one state."""
        share = self.stored * self.trained / self.gpus
        return self._moment(
            "optimizer's step",
            Term("gathered layers", 0, "all are sharded again"),
            Term("gradients", share, "this GPU's share of all"),
            self._kept(0),
            Term("working set", share, "AdamW's copy of one of its states"),
            Term("loss", 0, "its logits are gone"),
        )

    def _moment(self, name: str, *passing: Term) -> Moment:
        weights, optimizer = self._staying()
        gathered, gradients, *rest = passing
        return Moment(name, (weights, gathered, gradients, optimizer, *rest))
