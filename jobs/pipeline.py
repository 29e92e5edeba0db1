"""The pipeline, as ``pipeline.yaml`` describes it: its steps, what each needs, and what to do when
one fails. The definitions beside it say what each step submits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step.

    *kind* is what it makes in OCI: job, model, deployment; an answer is a question to the
    deployment and makes nothing. *definitions* are file names: the first is submitted, the others
    (the tenancy file's fallback shapes) one after another when OCI has no capacity for those before
    them. *retries* is how often an infrastructure failure is answered with another submission,
    *capacity_minutes* how long capacity is waited for since the step last had its machines.
    *checkpoints* is the ``oci://`` folder from which a resubmission goes on; '' where the recipe
    keeps none.
    """

    name: str
    kind: str
    definitions: tuple[str, ...]
    needs: tuple[str, ...] = ()
    retries: int = 0
    capacity_minutes: float = 0
    checkpoints: str = ""


@dataclass(frozen=True)
class Pipeline:
    """What one tenancy file's definitions make together.

    *ledger* is the ``oci://`` folder that mirrors the local ledger; *spending_limit* is in US
    dollars at list prices, None without one; *question* is what the last step asks.
    """

    tenancy: str
    region: str
    compartment_id: str
    project_id: str
    ledger: str
    steps: tuple[Step, ...]
    spending_limit: float | None = None
    question: str = ""

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def pipeline_of(content: Mapping[str, Any]) -> Pipeline:
    """The pipeline that a checked ``pipeline.yaml`` describes."""
    spec = content["spec"]
    limit = spec.get("spendingLimit")
    return Pipeline(
        tenancy=str(spec["tenancy"]),
        region=str(spec["region"]),
        compartment_id=str(spec["compartmentId"]),
        project_id=str(spec["projectId"]),
        ledger=str(spec["ledger"]),
        steps=tuple(_step(each) for each in spec["steps"]),
        spending_limit=None if limit is None else float(limit),
        question=str(spec.get("question", "")),
    )


def _step(spec: Mapping[str, Any]) -> Step:
    return Step(
        name=str(spec["name"]),
        kind=str(spec["kind"]),
        definitions=tuple(spec["definitions"]),
        needs=tuple(spec.get("needs", ())),
        retries=int(spec.get("retries", 0)),
        capacity_minutes=float(spec.get("capacityMinutes", 0)),
        checkpoints=str(spec.get("checkpoints", "")),
    )
