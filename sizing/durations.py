"""How long a training takes. docs/sizing.md explains the formulas and their sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from .flops import Work, flops_of_a_token, flops_of_a_token_forward, work
from .models import Model
from .ranges import Range
from .shapes import Shape
from .speeds import in_fp32, link_rate, network_rate, peak, utilisation
from .training import Training

DATA = Path(__file__).parent / "data" / "datasets.yaml"

_HOUR = 3600.0
_MINUTE = 1 / 60  # hours

# From the request to the first step: assumed, not measured. Low: a node at once, a small conda;
# high: a node that takes its time, and ranks that find each other by a log that is read once a
# minute. A machine of bare metal is tested and booted on top of that.
_START = Range(8 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE)
_BARE_METAL = Range(4 * _MINUTE, 8 * _MINUTE, 15 * _MINUTE)

# Bytes a second of one node from and to the bucket, and into the model.
_BUCKET = Range(0.1e9, 0.25e9, 0.8e9)

_SAVE_LORA = Range(0.5 * _MINUTE, 1 * _MINUTE, 3 * _MINUTE)
_BYTES_OF_A_RUN = {"full": 12, "lora": 0}  # of a checkpoint: fp32 weights and two moments
_STEPS_BETWEEN_CHECKPOINTS = 100  # the recipe sft's default


@dataclass(frozen=True)
class Data:
    """A data set: its training *rows*, and the *tokens* of one with its prompt, on average."""

    name: str
    rows: int
    tokens: float
    source: str = ""


@dataclass(frozen=True)
class Part:
    """One part of the time, in hours, and *why*, as words and figures."""

    name: str
    hours: Range
    why: str


@dataclass(frozen=True)
class Duration:
    """*steps* of the optimizer, *tokens* computed by all GPUs together with padding, *parts* of the
    time; *hours* is from the first node's start to the last one's end."""

    steps: int
    tokens: int
    parts: tuple[Part, ...]
    hours: Range

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)


@cache
def known_data() -> Mapping[str, Data]:
    """Hugging Face id → data set, of ``data/datasets.yaml``."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows: list[dict[str, Any]] = yaml.load(DATA.read_text(encoding="utf-8"), loader)["datasets"]
    return MappingProxyType(
        {
            name: Data(name, row["rows"], row["tokens"], row["source"])
            for row in rows
            for name in row["ids"]
        }
    )


def training_time(
    model: Model, training: Training, shape: Shape, replicas: int, data: Data
) -> Duration:
    """Of *replicas* nodes of *shape*, whose GPUs have bf16."""
    gpus = shape.gpus * replicas
    todo = work(training, data, gpus)
    parts = (
        _starting(shape),
        _reading(model),
        _training(model, training, shape, replicas, todo),
        _evaluating(model, training, shape, replicas, todo),
        _saving(model, training, replicas, todo),
    )
    tokens = todo.passes * gpus * training.batch_size * todo.row_tokens
    return Duration(todo.steps, round(tokens), parts, _sum([part.hours for part in parts]))


def _starting(shape: Shape) -> Part:
    metal = shape.name.startswith("BM.")
    return Part(
        "start",
        _sum([_START, _BARE_METAL]) if metal else _START,
        f"{'bare metal' if metal else 'nodes'} provisioned, conda unpacked, packages installed, "
        "ranks joined",
    )


def _reading(model: Model) -> Part:
    size = 2.0 * model.parameters
    return Part(
        "base model",
        _by_rate(size, _BUCKET),
        f"{size / 1e9:.1f} GB from the bucket to each node, {_BUCKET.expected / 1e9:g} GB/s",
    )


def _training(model: Model, training: Training, shape: Shape, replicas: int, todo: Work) -> Part:
    tokens = training.batch_size * todo.row_tokens
    compute = _compute(flops_of_a_token(model, training) * tokens, training, shape)
    trainable = (
        model.parameters
        if training.method == "full"
        else model.lora_parameters(training.lora_rank, training.lora_targets)
    )
    # Weights come once for the forward and once for the backward pass, in the precision of the
    # computation; gradients of what is trained go back, in fp32 by the recipe sft.
    width = 4 if in_fp32(training) else 2
    back = width if training.recipe == "llama-recipes" else 4
    moved = 2.0 * width * model.parameters + back * trainable
    communication = _communication(moved, shape, replicas)
    hours = _overlapped(compute, communication).times(todo.passes / _HOUR)
    why = (
        f"{todo.steps:,} steps; a batch computes {compute.expected:.1f} s at "
        f"{utilisation(shape, training).expected:.0%} of {peak(shape, training):g} TFLOPS"
    )
    if communication.expected:
        why += (
            f" and moves {moved / 1e9:.0f} GB in {communication.expected:.1f} s "
            f"({_slowest(shape, replicas)})"
        )
    return Part("training", hours, why)


def _evaluating(model: Model, training: Training, shape: Shape, replicas: int, todo: Work) -> Part:
    at_once = 1 if training.recipe == "llama-recipes" else training.batch_size
    flops = flops_of_a_token_forward(model, training) * at_once * todo.row_tokens
    moved = float((4 if in_fp32(training) else 2) * model.parameters)
    compute = _compute(flops, training, shape)
    hours = _overlapped(compute, _communication(moved, shape, replicas)).times(
        todo.evaluations / _HOUR
    )
    return Part("evaluation", hours, f"{todo.evaluations:,.0f} batches, forward only")


def _saving(model: Model, training: Training, replicas: int, todo: Work) -> Part:
    if training.method == "lora":
        return Part("saving", _SAVE_LORA, "an adapter of some MB, at each end of an epoch")
    checkpoints = 0
    if training.recipe == "sft":
        checkpoints = todo.steps // _STEPS_BETWEEN_CHECKPOINTS
    size = model.parameters * (2.0 + checkpoints * _BYTES_OF_A_RUN["full"])
    return Part(
        "saving",
        _by_rate(size / replicas, _BUCKET),
        f"{size / 1e9:,.0f} GB by {replicas} nodes: the model and {checkpoints} checkpoints",
    )


def _compute(flops: float, training: Training, shape: Shape) -> Range:
    """Seconds of one GPU."""
    if not shape.bf16:
        raise ValueError(f"{shape.name} has no bf16")
    most = peak(shape, training) * 1e12
    return _inverse(utilisation(shape, training), lambda share: flops / (most * share))


def _communication(moved: float, shape: Shape, replicas: int) -> Range:
    """Seconds to give *moved* bytes, which all GPUs hold together, to each of them.

    By rings: each GPU takes in all but its own share by its link, each node all but its own by its
    network (the nodes' share of a ring crosses it once). The slower of the two counts.
    """
    gpus = shape.gpus * replicas
    nothing = Range(0.0, 0.0, 0.0)
    inside = outside = nothing
    if shape.gpus > 1:
        share = moved * (gpus - 1) / gpus
        inside = _inverse(link_rate(shape), lambda rate: share / rate)
    if replicas > 1:
        other = moved * (replicas - 1) / replicas
        outside = _inverse(network_rate(shape), lambda rate: other / rate)
    return Range(
        max(inside.low, outside.low),
        max(inside.expected, outside.expected),
        max(inside.high, outside.high),
    )


def _slowest(shape: Shape, replicas: int) -> str:
    if replicas == 1:
        return f"within the node, by {shape.link}"
    rate = network_rate(shape).expected * 8 / 1e9
    kind = "cluster network" if shape.rdma else "plain Ethernet"
    return f"{kind}, {rate:.0f} of {shape.network_gbps:g} Gbit/s"


def _overlapped(compute: Range, communication: Range) -> Range:
    """FSDP fetches the next layer while one computes: all of it, half of it, or none in time."""
    expected = (
        max(compute.expected, communication.expected) + compute.expected + communication.expected
    ) / 2
    return Range(max(compute.low, communication.low), expected, compute.high + communication.high)


def _by_rate(size: float, rate: Range) -> Range:
    """Hours for *size* bytes."""
    return _inverse(rate, lambda each: size / each / _HOUR)


def _inverse(rate: Range, take: Callable[[float], float]) -> Range:
    """The faster, the shorter."""
    return Range(take(rate.high), take(rate.expected), take(rate.low))


def _sum(ranges: list[Range]) -> Range:
    return Range(
        sum(one.low for one in ranges),
        sum(one.expected for one in ranges),
        sum(one.high for one in ranges),
    )
