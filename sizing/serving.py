"""What serving a model with vLLM takes: weights, KV cache, and how many requests that leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .fit import Fit
from .models import Model
from .ranges import Range
from .shapes import Shape


@dataclass(frozen=True)
class Serving:
    """A model on one instance of a shape. Bytes are of each GPU that shares the model.

    *kv_tokens* is how many tokens of prompts and answers the KV cache holds together; *longest* the
    largest ``--max-model-len`` that starts, 0 where none does; *concurrency* how many requests of
    *max_model_len* tokens run at once.
    """

    shape: Shape
    tensor_parallel: int
    max_model_len: int
    weights: float
    kv_per_token: float
    kv_tokens: Range
    longest: int
    concurrency: float
    fit: Fit
    dollars_per_hour: float | None


def serving(
    model: Model, shape: Shape, max_model_len: int, tensor_parallel: int | None = None
) -> Serving:
    """On *shape*; by default all of its GPUs share the model, as far as its heads divide."""
    raise NotImplementedError


def servings(model: Model, max_model_len: int) -> Sequence[Serving]:
    """On every GPU shape that takes deployments, at the fewest GPUs that fit; cheapest first, what
    does not fit last."""
    raise NotImplementedError
