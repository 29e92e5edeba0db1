"""The spending limit of the tenancy file, held before money is spent: what could pass it is not
submitted. At list prices, as ``sizing/data/shapes.yaml`` has them.

A rehearsal on a mocked OCI is refused what OCI itself would be refused: before a submission nobody
knows where it will run. What it has spent is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from . import cost
from .definitions import Definition
from .errors import BudgetError
from .pipeline import Pipeline, Step
from .record import Entry
from .runtime_limit import maximum_minutes

DEPLOYMENT_HOURS = 1.0
"""A deployment costs until somebody deletes it: this much of it must be within the limit."""

_WHERE = "Set 'pipeline: spending_limit' in the tenancy file higher, or take it out"


@dataclass(frozen=True)
class Exposure:
    """What a submission may cost at most: *per_hour* for *hours*, in US dollars at list prices."""

    per_hour: float
    hours: float

    @property
    def dollars(self) -> float:
        return self.per_hour * self.hours


def check(
    pipeline: Pipeline, step: Step, definition: Definition, spent: Iterable[Entry], now: datetime
) -> None:
    """Refuse a submission of *step* that could pass the pipeline's spending limit.

    *spent* are all submissions of this pipeline so far, each attempt of each step.

    Raises:
        BudgetError: with all figures, and what to change. Also where no price or no maximum
            runtime is known, so that nobody can say what it may cost.
    """
    limit = pipeline.spending_limit
    if limit is None or step.kind not in ("job", "deployment") or not definition.shape:
        return
    most = exposure(step, definition)
    if most is None:
        raise _unknown(step, definition, limit)
    before = cost.total(spent, now)
    if before + most.dollars <= limit:
        return
    what = _what(step, definition, most)
    raise BudgetError(
        f"'{step.name}' was not submitted: it could pass the spending limit of {_dollars(limit)}.\n"
        f"  spent so far   {_dollars(before):>12}  all attempts of this pipeline, at list prices\n"
        f"  this one       {_dollars(most.dollars):>12}  at most: {what}\n"
        f"  together       {_dollars(before + most.dollars):>12}",
        f"{_WHERE}; or give the step a smaller shape, fewer nodes or a lower maximum runtime. Then "
        "deploy, 'python -m jobs emit' and 'python -m jobs run'.",
    )


def affordable(
    pipeline: Pipeline,
    step: Step,
    definitions: Sequence[Definition],
    spent: Iterable[Entry],
    now: datetime,
) -> list[int]:
    """Which of a step's *definitions*, by their numbers, :func:`check` lets through."""
    before, found = list(spent), []
    for number, definition in enumerate(definitions):
        with suppress(BudgetError):
            check(pipeline, step, definition, before, now)
            found.append(number)
    return found


def exposure(step: Step, definition: Definition) -> Exposure | None:
    """What a submission of *step* by *definition* may cost; None where its list price or its
    maximum runtime is not known."""
    per_hour = cost.per_hour(**definition.machine)
    minutes = maximum_minutes(definition)
    if step.kind == "deployment":
        minutes = DEPLOYMENT_HOURS * 60
    if per_hour is None or minutes is None:
        return None
    return Exposure(per_hour, minutes / 60)


def _unknown(step: Step, definition: Definition, limit: float) -> BudgetError:
    within = f"so nobody can say whether it stays within the spending limit of {_dollars(limit)}."
    if cost.per_hour(**definition.machine) is None:
        return BudgetError(
            f"'{step.name}' was not submitted: no list price of {definition.shape} is known, "
            f"{within}",
            f"Add the shape to {cost.DATA.name}, choose one that is listed there, or take the "
            "spending limit out of the tenancy file.",
        )
    return BudgetError(
        f"'{step.name}' was not submitted: it has no maximum runtime, {within}",
        "Give it 'max_runtime_minutes' in the tenancy file, deploy and 'python -m jobs emit'.",
    )


def _what(step: Step, definition: Definition, most: Exposure) -> str:
    machines = f"{definition.replicas} x {definition.shape}, {_dollars(most.per_hour)} an hour"
    if step.kind == "deployment":
        return f"{machines} until it is deleted, counted for {most.hours:g} h"
    return f"{machines} for {most.hours * 60:g} min of maximum runtime"


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}"
