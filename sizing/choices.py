"""Every GPU shape and number of nodes for a training, ranked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .durations import Data, Duration, training_time
from .fit import Fit, fit
from .flops import rows_of
from .memory import Memory, training_memory
from .models import Model
from .ranges import Range
from .shapes import Shape, gpu_shapes
from .training import Recipe, Training

MOST_REPLICAS = 64

REPLICAS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, MOST_REPLICAS)
"""Numbers of nodes that are looked at."""

LEAST_STEPS = 10
"""Updates in an epoch below which another node is no gain: what is saved in time is not learned. A
judgement, not a measurement. One node is not held to it: there is nothing smaller."""

By = Literal["cost", "time"]

# What the recipes run on: the environments of Data Science that the definitions name are of CUDA.
_PLATFORM = "CUDA"
_TORCH: dict[Recipe, float] = {"sft": 2.8, "llama-recipes": 2.1}


@dataclass(frozen=True)
class Choice:
    """*replicas* nodes of *shape*. *duration* and *dollars* are None where the data set's size, or
    the price, is not known. *refused* says why it is no choice (the deadline, the budget, the fit),
    '' where it is one."""

    shape: Shape
    replicas: int
    memory: Memory
    fit: Fit
    duration: Duration | None
    dollars: Range | None
    refused: str = ""

    @property
    def gpus(self) -> int:
        return self.shape.gpus * self.replicas


@dataclass(frozen=True)
class Limits:
    """*deadline* in hours, *budget* in US dollars; None where there is none."""

    deadline: float | None = None
    budget: float | None = None


def choice(
    model: Model,
    training: Training,
    shape: Shape,
    replicas: int,
    data: Data | None = None,
    *,
    deadline: float | None = None,
    budget: float | None = None,
) -> Choice:
    """That one. *deadline* and *budget* as for :func:`choices`."""
    memory = training_memory(model, training, shape.gpus * replicas)
    limits = Limits(deadline, budget)
    return _choice(model, training, shape, replicas, data, memory, limits)


def choices(
    model: Model,
    training: Training,
    data: Data | None = None,
    *,
    deadline: float | None = None,
    budget: float | None = None,
    by: By = "cost",
) -> Sequence[Choice]:
    """All, ranked: what can be had first, then what is refused; of each, what fits before what is
    tight. *deadline* in hours, *budget* in US dollars; both are held against the upper end of the
    range, as far as it is known."""
    limits = Limits(deadline, budget)
    memories: dict[int, Memory] = {}
    found = []
    for shape in gpu_shapes().values():
        if not shape.jobs:
            continue
        for replicas in REPLICAS:
            gpus = shape.gpus * replicas
            if gpus not in memories:
                memories[gpus] = training_memory(model, training, gpus)
            memory = memories[gpus]
            found.append(_choice(model, training, shape, replicas, data, memory, limits))
    return sorted(found, key=lambda one: _rank(one, by))


def fewest_replicas(model: Model, training: Training, shape: Shape) -> int | None:
    """The least number of nodes on which it fits and is not tight; None where none up to
    :data:`MOST_REPLICAS` is enough, or its GPUs have no bf16."""
    if not shape.bf16:
        return None
    for replicas in range(1, MOST_REPLICAS + 1):
        memory = training_memory(model, training, shape.gpus * replicas)
        if fit(memory.total, shape).verdict == "fits":
            return replicas
    return None


def unusable(training: Training, shape: Shape) -> str:
    """Why the recipe does not run on GPUs of that kind at all, or ''."""
    if not shape.jobs:
        return f"no job run of Data Science takes {shape.name}"
    if not shape.bf16:
        return f"a {shape.gpu} has no bf16, in which the recipes compute"
    if shape.platform not in ("", _PLATFORM):
        return (
            f"an {shape.gpu} is of {shape.platform}, and the recipes' environments of {_PLATFORM}"
        )
    recipe = training.recipe
    if shape.least_torch > _TORCH[recipe]:
        needs = f"a {shape.gpu} takes PyTorch {shape.least_torch:g}"
        return f"{needs}, and {recipe} is pinned to {_TORCH[recipe]:g}"
    return ""


def _choice(
    model: Model,
    training: Training,
    shape: Shape,
    replicas: int,
    data: Data | None,
    memory: Memory,
    limits: Limits,
) -> Choice:
    fitting = fit(memory.total, shape)
    duration = None
    if data is not None and shape.bf16:
        duration = training_time(model, training, shape, replicas, data)
    dollars = None
    if duration is not None and shape.price_per_hour is not None:
        dollars = duration.hours.times(shape.price_per_hour * replicas)
    refused = _refused(training, shape, replicas, data, fitting) or _over(duration, dollars, limits)
    return Choice(shape, replicas, memory, fitting, duration, dollars, refused)


def _refused(
    training: Training, shape: Shape, replicas: int, data: Data | None, fitting: Fit
) -> str:
    if why := unusable(training, shape):
        return why
    if fitting.verdict == "does not fit":
        return f"does not fit: {fitting.why}"
    if data is not None and replicas > 1:
        rows = rows_of(training, data.rows, data.tokens)
        batch = shape.gpus * replicas * training.batch_size * training.accumulation
        if batch * LEAST_STEPS > rows:
            return (
                f"a step of {batch:,} rows leaves {rows / batch:.1f} steps of an epoch's "
                f"{rows:,} rows: too few updates to learn by"
            )
    return ""


def _over(duration: Duration | None, dollars: Range | None, limits: Limits) -> str:
    if limits.deadline is not None and duration is not None:
        hours = duration.hours.high
        if hours > limits.deadline:
            return f"may take {hours:.1f} h, over the deadline of {limits.deadline:g} h"
    if limits.budget is not None:
        if dollars is None:
            if duration is None:
                return ""
            return "no list price is known, so that nobody can say whether it stays in the budget"
        if dollars.high > limits.budget:
            return f"may cost ${dollars.high:,.2f}, over the budget of ${limits.budget:,.2f}"
    return ""


def _rank(one: Choice, by: By) -> tuple[bool, bool, bool, float, float, int]:
    hours = one.duration.hours.expected if one.duration else math.inf
    if one.dollars is not None:
        cost = one.dollars.expected
    elif one.shape.price_per_hour is not None:
        cost = one.shape.price_per_hour * one.replicas  # of an hour: all there is to go by
    else:
        cost = math.inf
    first, then = (cost, hours) if by == "cost" else (hours, cost)
    return (
        one.fit.verdict == "does not fit" or not one.shape.bf16,
        bool(one.refused),
        one.fit.verdict != "fits",
        first,
        then,
        one.gpus,
    )
