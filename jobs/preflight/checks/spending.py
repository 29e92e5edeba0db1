"""Whether the spending limit lets every step be submitted, told before the first one is paid."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...budget import Exposure, exposure
from ...definitions import Definition
from ...pipeline import Step
from ..check import AGAIN, Finding, failed, passed, warned
from ..subject import Subject

_PAID = ("job", "deployment")
# The section of the tenancy file that says what a step runs on.
_SECTIONS = {"deploy": "serving"}


@dataclass(frozen=True)
class _Cost:
    """What a submission of *step* by *definition* may cost at most; *most* is None where nobody
    can say."""

    step: Step
    definition: Definition
    most: Exposure | None

    @property
    def dollars(self) -> float:
        return self.most.dollars if self.most else 0.0


class Budget:
    """The runner refuses a step that could pass the limit; by then others have cost something."""

    name = "budget"
    question = "Does the spending limit let every step be submitted?"
    offline = True
    after: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> list[Finding]:
        limit = subject.pipeline.spending_limit
        if limit is None:
            return [passed("There is no spending limit.")]
        paid = [step for step in subject.pipeline if step.kind in _PAID]
        costs = [_costs(subject, step) for step in paid if step.name in subject.steps]
        found = [
            finding for of_step in costs if (finding := _refused(of_step, limit, subject.spent))
        ]
        return found or [_together(costs, limit, subject.spent)]


def _costs(subject: Subject, step: Step) -> list[_Cost]:
    return [
        _Cost(step, each, exposure(step, each)) for each in subject.of_step(step.name) if each.shape
    ]


def _refused(costs: list[_Cost], limit: float, spent: float) -> Finding | None:
    """What the runner would say to a step even if those before it cost nothing."""
    over = [each for each in costs if each.most is None or spent + each.dollars > limit]
    if not over:
        return None
    worst = over[0]
    if worst.most is None:
        said = (
            f"{worst.definition.path.name}: no list price or no maximum runtime is known, so the "
            f"runner does not submit it under a spending limit of {_dollars(limit)}."
        )
        remedy = (
            f"Give '{_section(worst.step)}' a shape with a known price and 'max_runtime_minutes', "
            "or take 'pipeline: spending_limit' out of the tenancy file"
        )
    else:
        most = f"{_dollars(worst.most.per_hour)} an hour for {worst.most.hours:g} h at most"
        said = (
            f"{worst.definition.path.name} may cost {_dollars(worst.dollars)} ({most})"
            f"{_spent(spent)}: the spending limit of {_dollars(limit)} does not let the runner "
            "submit it."
        )
        remedy = _within(worst, limit, spent)
    remedy = f"{remedy}; then {AGAIN}."
    # The runner goes on with a fallback that it can afford.
    return warned(said, remedy) if len(over) < len(costs) else failed(said, remedy)


def _together(costs: list[list[_Cost]], limit: float, spent: float) -> Finding:
    dearest = sum(max((each.dollars for each in of_step), default=0.0) for of_step in costs)
    said = (
        f"All that is still to run may cost {_dollars(dearest)} at most{_spent(spent)}; the "
        f"spending limit is {_dollars(limit)}."
    )
    if spent + dearest > limit:
        return warned(
            f"{said} Steps that take their maximum leave too little for the last ones.",
            f"Set 'pipeline: spending_limit: {math.ceil(spent + dearest)}' in the tenancy file, or "
            f"lower 'max_runtime_minutes'; then {AGAIN}.",
        )
    return passed(said)


def _within(cost: _Cost, limit: float, spent: float) -> str:
    """The limit that would do, and the runtime that would."""
    told = f"Set 'pipeline: spending_limit: {math.ceil(spent + cost.dollars)}'"
    assert cost.most is not None
    minutes = int(max(0.0, limit - spent) / cost.most.per_hour * 60)
    if cost.step.kind == "job" and minutes:
        told += f", or '{_section(cost.step)}: max_runtime_minutes: {minutes}' or less,"
    return f"{told} in the tenancy file"


def _section(step: Step) -> str:
    return _SECTIONS.get(step.name, step.name)


def _spent(spent: float) -> str:
    return f", beside {_dollars(spent)} that were spent" if spent else ""


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}"
