"""What serving a model with vLLM takes, and how many requests that leaves room for.

A ``--max-model-len`` of which the KV cache does not hold a single sequence is refused by vLLM when
it starts. The parts are explained in ``vllm``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from . import vllm
from .fit import Fit
from .models import Model
from .ranges import Range
from .serving_options import ServingOptions
from .shapes import Shape, gpu_shapes

_BLOCK = 16  # tokens: the KV cache is given out in blocks of so many
_VERDICTS = {"fits": 0, "tight": 1, "does not fit": 2}


@dataclass(frozen=True)
class Serving:
    """A model on one instance of a shape. Bytes are of each GPU that shares the model.

    *kv_tokens* is how many tokens of prompts and answers the KV cache holds together; *longest* the
    largest ``--max-model-len`` that starts by the low end of that, 0 where none does; *concurrency*
    how many requests of *max_model_len* tokens run at once. *peak* is what a step takes beside
    weights and cache. *fit* is "does not fit" only where not even the high end holds one request.
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
    peak: Range = field(default_factory=lambda: Range(0, 0, 0))
    options: ServingOptions = field(default_factory=ServingOptions)


def serving(
    model: Model,
    shape: Shape,
    max_model_len: int,
    tensor_parallel: int | None = None,
    options: ServingOptions | None = None,
) -> Serving:
    """On *shape*; by default all of its GPUs share the model, as far as its heads divide.

    What *max_model_len* and *tensor_parallel* say counts, whatever stands in *options*.
    """
    options = options or ServingOptions()
    gpus = tensor_parallel or vllm.shared_by(model, shape.gpus)
    weights = vllm.weights(model, gpus, options.weight_bytes)
    per_token = vllm.kv_per_token(model, gpus, options.kv_bytes)
    peak, left = vllm.peak(model, shape, gpus, options), vllm.room(shape, options) - weights
    tokens = Range(
        _tokens(left - peak.high, per_token),
        _tokens(left - peak.expected, per_token),
        _tokens(left - peak.low, per_token),
    )
    kept = vllm.kept_of(model, max_model_len, shape, options)
    found = Serving(
        shape=shape,
        tensor_parallel=gpus,
        max_model_len=max_model_len,
        weights=weights,
        kv_per_token=per_token,
        kv_tokens=tokens,
        longest=_longest(model, tokens.low, shape, options),
        concurrency=tokens.expected / kept,
        fit=Fit("fits", ""),
        dollars_per_hour=shape.price_per_hour,
        peak=peak,
        options=options,
    )
    # A length beyond the model's positions says nothing against a shorter one.
    hopeless = vllm.refused(model, shape, gpus, min(max_model_len, model.max_positions), options)
    if hopeless:
        return replace(found, longest=0, concurrency=0, fit=Fit("does not fit", hopeless))
    if why := vllm.refused(model, shape, gpus, max_model_len, options):
        return replace(found, concurrency=0, fit=Fit("does not fit", why))
    return replace(found, fit=_fit(found, kept))


def servings(
    model: Model, max_model_len: int, options: ServingOptions | None = None
) -> Sequence[Serving]:
    """On every GPU shape that takes deployments, at the fewest GPUs that fit; cheapest first, what
    does not fit last."""
    taken = (shape for shape in gpu_shapes().values() if shape.deployments)
    return sorted((_fewest(model, shape, max_model_len, options) for shape in taken), key=_rank)


def _tokens(left: float, per_token: float) -> float:
    return max(0, int(left / per_token) // _BLOCK * _BLOCK)


def _longest(model: Model, tokens: float, shape: Shape, options: ServingOptions) -> int:
    if vllm.kept_of(model, model.max_positions, shape, options) <= tokens:
        return model.max_positions
    return int(tokens)


def _fit(found: Serving, kept: int) -> Fit:
    tokens, gpu = found.kv_tokens, found.shape.gpu
    beside = (
        f"beside {vllm.gb(found.weights)} of weights, of the "
        f"{vllm.gb(vllm.room(found.shape, found.options))} that vLLM gets of each GPU"
    )
    if kept > tokens.high:
        return Fit("does not fit", f"the KV cache holds at most {tokens.high:,.0f} tokens {beside}")
    why = (
        f"the KV cache holds {tokens.expected:,.0f} ({tokens.low:,.0f} to {tokens.high:,.0f}) "
        f"tokens {beside}"
    )
    if kept > tokens.low:
        return Fit("tight", why)
    if not (found.shape.bf16 or found.options.half):
        return Fit("tight", f"a {gpu} has no bf16: a model stored in it wants --dtype half")
    if found.shape.platform == "ROCm":
        return Fit("tight", f"an {gpu} is of ROCm: Oracle's container is of CUDA, and does not run")
    return Fit("fits", why)


def _fewest(
    model: Model, shape: Shape, max_model_len: int, options: ServingOptions | None
) -> Serving:
    numbers = [each for each in range(1, shape.gpus + 1) if not vllm.undivided(model, each)]
    found = [serving(model, shape, max_model_len, number, options) for number in numbers]
    best = min(found, key=lambda each: _VERDICTS[each.fit.verdict])
    return found[-1] if best.fit.verdict == "does not fit" else best


def _rank(found: Serving) -> tuple[int, float, int]:
    price = found.dollars_per_hour
    return _VERDICTS[found.fit.verdict], float("inf") if price is None else price, found.shape.gpus
