"""What a plan is made of: the present choice, all others ranked, and where the model is served."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sizing import choices, disk, shapes
from sizing.choices import Choice
from sizing.disk import Disk
from sizing.durations import Data
from sizing.models import Model
from sizing.serving import Serving, serving, servings
from sizing.serving_options import ServingOptions, serving_of_arguments
from sizing.shapes import Shape
from sizing.training import Training

from .plan_tenancy import PlanError, Written

By = Literal["cost", "time"]
_UNITS = {"m": 1 / 60, "h": 1.0, "d": 24.0}
_FP32 = 4
_RULE = 4


@dataclass(frozen=True)
class Wishes:
    """*deadline* in hours and *budget* in US dollars, against the upper end of an estimate; *shape*
    where only that is wanted, *replicas* only so many of it."""

    deadline: float | None = None
    budget: float | None = None
    by: By = "cost"
    shape: str | None = None
    replicas: int | None = None


@dataclass(frozen=True)
class Rule:
    """Oracle's rule of thumb, GPU memory of 4 times the model in full precision, beside the plan:
    *nodes* of the present shape by the rule; the fewest on which it *fits* by the plan, and on
    which it does at all, if *tight*; None where no number is enough."""

    shape: Shape
    model_gb: float
    nodes: int
    fits: int | None
    tight: int | None


@dataclass(frozen=True)
class Plan:
    """*present* is what the tenancy file says; *ranking* all that could be had instead, the best
    first; *best* is the first of those that is not refused."""

    written: Written
    model: Model
    data: Data | None
    wishes: Wishes
    present: Choice
    ranking: tuple[Choice, ...]
    best: Choice | None
    disk: Disk
    rule: Rule
    served: Serving
    servings: tuple[Serving, ...]

    @property
    def training(self) -> Training:
        return self.written.training

    def is_present(self, one: Choice) -> bool:
        return one.shape.name == self.present.shape.name and one.replicas == self.present.replicas


def plan(written: Written, model: Model, data: Data | None, wishes: Wishes) -> Plan:
    """The plan for what is *written*.

    Raises:
        PlanError: a shape that OCI's table of GPU shapes has not, or a model that the recipe does
            not load.
    """
    training = written.training
    if training.recipe == "llama-recipes" and model.family != "llama":
        raise PlanError(
            f"llama-recipes loads Llamas alone, and {model.name} is of the family {model.family}.",
            "Plan with --recipe sft.",
        )
    shape = gpu_shape(written.shape)
    rule = _rule(model, training, shape)
    limits = {"deadline": wishes.deadline, "budget": wishes.budget}
    nodes = written.replicas or rule.fits or rule.tight or 1
    present = choices.choice(model, training, shape, nodes, data, **limits)
    ranking = tuple(_ranking(model, training, data, wishes))
    return Plan(
        written=written,
        model=model,
        data=data,
        wishes=wishes,
        present=present,
        ranking=ranking,
        best=next((one for one in ranking if not one.refused), None),
        disk=disk.training_disk(model, training, present.replicas),
        rule=rule,
        served=_served(written, model),
        servings=tuple(servings(model, _length(written), _shared_by_none(written))),
    )


def gpu_shape(name: str) -> Shape:
    """The shape of that name. Raises PlanError."""
    try:
        found = shapes.gpu_shapes().get(name)
    except shapes.PricesError as error:
        raise PlanError(str(error)) from None
    if found is None:
        names = ", ".join(shapes.gpu_shapes())
        raise PlanError(f"{name} is no GPU shape that is known here.", f"There are: {names}.")
    return found


def hours_of(text: str) -> float:
    """Hours of ``4h``, ``90m``, ``1.5h`` or ``1d``. Raises PlanError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text.strip().lower())
    if match is None or not float(match[1]):
        raise PlanError(f"'{text}' is no duration.", "Write 4h, 90m or 1d.")
    return float(match[1]) * _UNITS[match[2]]


def best_of_each(ranking: Sequence[Choice]) -> list[Choice]:
    """The first of each shape, in the order of the ranking."""
    found: dict[str, Choice] = {}
    for one in ranking:
        found.setdefault(one.shape.name, one)
    return list(found.values())


def nearest(found: Plan) -> Choice | None:
    """Of what fits, what passes the deadline or the budget by least; None where nothing fits."""
    able = (one for one in found.ranking if _able(found, one))
    over = [(_passes(one, found.wishes), one) for one in able]
    return min(over, key=lambda pair: pair[0], default=(0, None))[1]


def shared(one: Choice, training: Training, rows: int) -> Training:
    """*training* such that the GPUs of *one* share a step of *rows* rows: the same is trained.
    As it was where they can't share it evenly, and for llama-recipes, which has no passes."""
    own, left = divmod(rows, one.gpus)
    if training.recipe != "sft" or left or not own:
        return training
    batch = max(size for size in range(1, training.batch_size + 1) if own % size == 0)
    return replace(training, batch_size=batch, accumulation=own // batch)


def _ranking(
    model: Model, training: Training, data: Data | None, wishes: Wishes
) -> Sequence[Choice]:
    limits = {"deadline": wishes.deadline, "budget": wishes.budget}
    if wishes.shape is None:
        return choices.choices(model, training, data, by=wishes.by, **limits)
    shape = gpu_shape(wishes.shape)
    if wishes.replicas is not None or not shape.jobs:
        return [choices.choice(model, training, shape, wishes.replicas or 1, data, **limits)]
    found = choices.choices(model, training, data, by=wishes.by, **limits)
    return [one for one in found if one.shape.name == shape.name]


def _rule(model: Model, training: Training, shape: Shape) -> Rule:
    size = model.parameters * _FP32 / 1e9
    gpus = math.ceil(_RULE * size / shape.gpu_memory_gb)
    fits = choices.fewest_replicas(model, training, shape)
    numbers = range(1, (fits or choices.MOST_REPLICAS) + 1)
    able = (n for n in numbers if not choices.choice(model, training, shape, n).refused)
    return Rule(shape, size, math.ceil(gpus / shape.gpus), fits, next(able, None))


def _served(written: Written, model: Model) -> Serving:
    options = serving_of_arguments(written.serving_arguments)
    gpus = options.tensor_parallel or written.tensor_parallel
    return serving(model, gpu_shape(written.serving_shape), _length(written), gpus, options)


def _length(written: Written) -> int:
    options = serving_of_arguments(written.serving_arguments)
    return options.max_model_len or written.max_model_len


def _shared_by_none(written: Written) -> ServingOptions:
    return replace(serving_of_arguments(written.serving_arguments), tensor_parallel=None)


def _able(found: Plan, one: Choice) -> bool:
    """Whether it could be had at all, were it not for the deadline and the budget."""
    free = choices.choice(found.model, found.training, one.shape, one.replicas, found.data)
    return not free.refused


def _passes(one: Choice, wishes: Wishes) -> float:
    """By which factor the worse of the two is passed."""
    found = [math.inf]
    if wishes.deadline is not None and one.duration is not None:
        found.append(one.duration.hours.high / wishes.deadline)
    if wishes.budget is not None and one.dollars is not None:
        found.append(one.dollars.high / wishes.budget)
    return max(found[1:] or found)
