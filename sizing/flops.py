"""Steps, tokens and floating point operations of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .models import Model
from .training import Training

if TYPE_CHECKING:
    from .durations import Data

# llama-recipes without packing pads each row to the longest of its batch: with a handful of
# dialogues that is about half as long again as their mean. The recipe sft pads nothing.
_PADDING = 1.5

# Share of the training split's rows that the validation split has, as in SAMSum (818 of 14,732).
VALIDATION = 0.055


@dataclass(frozen=True)
class Work:
    """*steps* of the optimizer, *passes* of a batch through one GPU (accumulated ones counted),
    each of *row_tokens* a row; *evaluations* are such passes forward only."""

    steps: int
    passes: int
    row_tokens: float
    evaluations: float


def row_tokens(training: Training, data: Data) -> float:
    """Tokens that one row costs, padding counted."""
    if training.packing:
        return training.max_length
    longest = min(data.tokens, training.max_length)
    if training.recipe == "llama-recipes":
        return min(longest * _PADDING, training.max_length)
    return longest


def rows_of(training: Training, rows: int, tokens: float) -> int:
    """Rows of an epoch: as they are, or packed into rows of ``max_length`` tokens."""
    if not training.packing:
        return rows
    return max(1, math.ceil(rows * tokens / training.max_length))


def work(training: Training, data: Data, gpus: int) -> Work:
    """What *gpus* together have to do."""
    rows = rows_of(training, data.rows, data.tokens)
    batch = training.batch_size * training.accumulation
    own = math.ceil(rows / gpus)
    # llama-recipes leaves an epoch's last, smaller batch out (its loader has drop_last); the recipe
    # sft leaves nothing out.
    drops = training.recipe == "llama-recipes"
    each = max(1, own // batch) if drops else math.ceil(rows / (gpus * batch))
    epochs = training.epochs or 0.0
    steps = training.max_steps or max(1, math.ceil(each * epochs))
    held = rows_of(training, math.ceil(data.rows * VALIDATION), data.tokens)
    # llama-recipes evaluates each epoch, a row at a time; the recipe sft once, at the end.
    times, at_once = (max(1.0, epochs), 1) if drops else (1.0, training.batch_size)
    evaluations = times * math.ceil(held / (gpus * at_once))
    return Work(steps, steps * training.accumulation, row_tokens(training, data), evaluations)


def flops_of_a_token(model: Model, training: Training) -> float:
    """Of a training's forward and backward pass.

    A product with N weights takes 2N forward, 2N for the gradient of what came in and 2N for that
    of the weights; frozen weights need the last not. Gradient checkpointing computes the forward
    pass of the layers a second time. Attention is two products of the row's length with the heads'
    width, forward; twice that backward. PaLM (Chowdhery et al., 2022, appendix B) has 6N + 12LHQT
    of the same; Narayanan et al., 2021 has the recomputed pass.
    """
    inside = model.layers * model.layer_parameters
    backward = 4 if training.method == "full" else 2
    # The embedding is looked up, not multiplied; the output layer is, tied or not.
    products = (2 + backward) * (inside + model.embedding_parameters)
    if training.method == "lora":
        products += 6 * model.lora_parameters(training.lora_rank, training.lora_targets)
    passes = 3  # one forward, a backward of two
    if training.checkpointing:
        products += 2 * inside
        passes += 1
    return products + passes * _attention(model, training)


def flops_of_a_token_forward(model: Model, training: Training) -> float:
    """Of an evaluation."""
    inside = model.layers * model.layer_parameters
    return 2.0 * (inside + model.embedding_parameters) + _attention(model, training)


def _attention(model: Model, training: Training) -> float:
    """Of one pass forward: scores, and what they weigh, each with all of the row before."""
    return 4.0 * model.layers * model.query_size * training.max_length
