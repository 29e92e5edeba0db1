"""The subject of a pipeline: its definitions, what its ledger leaves to run, what it has cost."""

from __future__ import annotations

from collections.abc import Mapping

from .. import cost
from ..clock import Clock
from ..decisions import Action
from ..definitions import Definition
from ..errors import JobsError
from ..judging import spent_on
from ..ledger import Ledger
from ..pipeline import Pipeline, Step
from ..record import Entry
from ..standing import Standing
from .subject import Subject

# What is submitted already: it is gone on with, and nothing of it is asked for anew.
_SUBMITTED = (Action.LEAVE, Action.FOLLOW)
_NOT_THERE = 404


def subject_of(
    pipeline: Pipeline,
    definitions: Mapping[str, Definition],
    ledger: Ledger,
    clock: Clock,
    *,
    fresh: bool = False,
    asking: bool = False,
    only: str = "",
) -> Subject:
    """What is still to run by the ledger; every step where *fresh*, that one where *only* is given.

    *asking* OCI whether the models and deployments that the ledger calls done are still there: one
    that was deleted by hand is submitted anew.
    """
    if only or fresh:
        steps = frozenset({only} if only else (step.name for step in pipeline))
    else:
        steps = still_to_run(pipeline, definitions, ledger, asking)
    spent = 0.0 if fresh else cost.total(spent_on(ledger), clock.now())
    entries = ledger.read().entries.values()
    running = tuple(each for each in entries if each.kind == "job" and not each.ended)
    return Subject(pipeline, definitions, steps, spent, clock, running)


def still_to_run(
    pipeline: Pipeline, definitions: Mapping[str, Definition], ledger: Ledger, asking: bool = False
) -> frozenset[str]:
    """The steps that a run would submit, and those that build on one of them."""
    standing = Standing(pipeline, definitions, ledger)
    found: set[str] = set()
    for step in pipeline:
        if found.intersection(step.needs) or _is_due(standing, step, asking):
            found.add(step.name)
    return frozenset(found)


def _is_due(standing: Standing, step: Step, asking: bool) -> bool:
    decision = standing.decide(step)
    if decision.action not in _SUBMITTED:
        return True
    entry = decision.entry
    return asking and entry is not None and entry.kind in ("model", "deployment") and _gone(entry)


def _gone(entry: Entry) -> bool:
    """Whether OCI has it no more; where it does not answer, nobody can say so."""
    from .. import states

    try:
        return states.observe(entry).state == "DELETED"
    except JobsError as error:
        return getattr(error, "status", 0) == _NOT_THERE
