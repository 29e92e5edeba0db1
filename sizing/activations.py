"""What one layer of a Llama takes while it is trained: bytes for each token.

Counted from what autograd keeps of each operation of transformers' Llama layer, which is what
tests/recipes/test_memory_calibration.py measures. The notation: H hidden size, I intermediate
size, Q and K the widths of all queries and of all keys, c bytes of a number in the forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models import Model
from .training import LINEAR_LAYERS, Training

_ATTENTION_INPUTS = ("q_proj", "k_proj", "v_proj")
_MLP_INPUTS = ("gate_proj", "up_proj")
_DROPOUT_MASK = 1  # byte for each number


@dataclass(frozen=True)
class Numbers:
    """How a training keeps its numbers, in bytes each.

    *compute* is what matrices are multiplied in; *residual* what the layers' inputs and outputs
    are kept in; *autocast* that fp32 weights and their inputs are cast at each multiplication, as
    one process alone does it for a full training in bf16.
    """

    compute: int
    autocast: bool = False

    @property
    def residual(self) -> int:
        return 4 if self.autocast else self.compute


@dataclass(frozen=True)
class Layer:
    """What a layer's forward pass leaves for its backward pass, in bytes a token.

    *product* of it is the input of down_proj, *entry* the layer's own input where it is kept as it
    is, not as a copy in fp32.
    """

    model: Model
    training: Training
    numbers: Numbers
    on_cpu: bool = False

    @property
    def _full(self) -> bool:
        return self.training.method == "full"

    def _read(self, *names: str) -> bool:
        """Whether gradients by the weights of any of these need their input."""
        return self._full or any(name in self.training.lora_targets for name in names)

    @property
    def saved(self) -> float:
        """All of it."""
        return self.norms + self.attention + self.mlp + self.adapters

    @property
    def norms(self) -> float:
        """The two RMSNorms over H, and those over queries and keys that Qwen3 has.

        Each is worked out in fp32: its input is kept in fp32 (4H), 1/rms (4), the normed numbers
        where the norm's own weights are trained, and what it gives where a trained matrix reads it.
        """
        model, numbers = self.model, self.numbers
        kept = 0.0
        for readers in (_ATTENTION_INPUTS, _MLP_INPUTS):
            kept += self._norm(model.hidden_size)
            if numbers.autocast:  # every matrix casts its input for itself
                kept += 2 * len(readers) * model.hidden_size
            elif self._read(*readers):
                kept += numbers.compute * model.hidden_size
        if model.family == "qwen3":
            kept += self._norm(model.query_size) + self._norm(model.kv_size)
        return kept

    def _norm(self, width: int) -> float:
        normed = self.numbers.residual * width if self._full else 0
        return 4 * width + 4 + normed

    @property
    def attention(self) -> float:
        """A flash kernel keeps queries, keys, values, its output and a number for each head.

        On a CPU, keys and values are repeated for every head, and the documents' outputs are joined
        into a second copy.
        """
        model, compute = self.model, self.numbers.compute
        width = model.query_size
        keys = width if self.on_cpu else model.kv_size
        joined = width if self.on_cpu and self._read("o_proj") else 0
        return compute * (2 * width + 2 * keys + joined) + 4 * model.heads

    @property
    def mlp(self) -> float:
        """gate, up, silu(gate) and, for down_proj's gradient, their product: 4I c."""
        return 3 * self.numbers.compute * self.model.intermediate_size + self.product

    @property
    def product(self) -> float:
        if not self._read("down_proj"):
            return 0
        return self.numbers.compute * self.model.intermediate_size

    @property
    def adapters(self) -> float:
        """LoRA's A(x): rank numbers a target. llama-recipes drops out of each target's input: the
        copy and a mask."""
        if self._full:
            return 0
        training, compute = self.training, self.numbers.compute
        targets = [name for name in LINEAR_LAYERS if name in training.lora_targets]
        kept = float(training.lora_rank * compute * len(targets))
        if training.recipe == "llama-recipes":
            linears = self.model.linears
            kept += sum(linears[name][0] * (compute + _DROPOUT_MASK) for name in targets)
        return kept

    @property
    def entry(self) -> float:
        """The layer's input, where its first norm keeps that and no copy."""
        return 4 * self.model.hidden_size if self.numbers.residual == 4 else 0

    @property
    def mlp_backward(self) -> float:
        """What the backward pass adds in the middle of the MLP, where it holds the most: three
        gradients of width I (by the product, gate and up) and one of the layer's output, while the
        product itself is gone."""
        numbers = self.numbers
        return (
            3 * numbers.compute * self.model.intermediate_size
            + numbers.residual * self.model.hidden_size
            - self.product
        )
