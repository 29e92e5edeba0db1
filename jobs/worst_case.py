"""What a pipeline may cost at most, before anything of it is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import cost
from .budget import DEPLOYMENT_HOURS
from .definitions import Definition
from .pipeline import Pipeline, Step
from .runtime_limit import maximum_minutes


@dataclass(frozen=True)
class WorstCase:
    """US dollars at list prices, of one attempt at every step; *unknown* says what they lack."""

    dollars: float
    deployment_hours: float
    unknown: tuple[str, ...] = ()


def worst_case(pipeline: Pipeline, definitions: Mapping[str, Definition]) -> WorstCase:
    """Each step on the dearest of its machines, for its maximum runtime; a deployment for as long
    as the spending limit counts it."""
    total, unknown = 0.0, []
    for step in pipeline:
        if step.kind not in ("job", "deployment"):
            continue
        chosen = [definitions[Path(file).stem] for file in step.definitions]
        costs = [_most(step, each) for each in chosen]
        known = [each for each in costs if each is not None]
        unknown += [
            f"a price or a maximum runtime of {definition.path.name}"
            for definition, dollars in zip(chosen, costs, strict=True)
            if dollars is None
        ]
        total += max(known, default=0.0)
    return WorstCase(total, DEPLOYMENT_HOURS, tuple(unknown))


def _most(step: Step, definition: Definition) -> float | None:
    per_hour = cost.per_hour(**definition.machine)
    if per_hour is None:
        return None
    if step.kind == "deployment":
        return per_hour * DEPLOYMENT_HOURS
    minutes = maximum_minutes(definition)
    return None if minutes is None else per_hour * minutes / 60
