"""What a pipeline may cost at most, before anything of it is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .budget import DEPLOYMENT_HOURS, exposure
from .definitions import Definition
from .pipeline import Pipeline


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
        costs = [exposure(step, each) for each in chosen]
        unknown += [
            f"a price or a maximum runtime of {definition.path.name}"
            for definition, most in zip(chosen, costs, strict=True)
            if most is None
        ]
        total += max((most.dollars for most in costs if most is not None), default=0.0)
    return WorstCase(total, DEPLOYMENT_HOURS, tuple(unknown))
