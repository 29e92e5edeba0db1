"""``pipeline.yaml``: what the runner makes of the definitions beside it.

The steps in their order, what each needs, and what to do when one fails. It is no definition of
ADS's; its form follows theirs.
"""

from collections.abc import Sequence
from typing import Any

from infra.places import Places
from infra.plan import LEDGER_PREFIX, Plan
from infra.recipes import terraform_literal
from infra.tenancy.schema import Tenancy

FILE = "pipeline.yaml"

_NEEDS = {
    "stage": (),
    "finetune": ("stage",),
    "merge": ("stage", "finetune"),
    "register": ("stage", "finetune", "merge"),
    "deploy": ("register",),
    "smoke": ("deploy",),
}
_KINDS = {"register": "model", "deploy": "deployment", "smoke": "answer"}
# Whose definition it is, where that is not the step's own name.
_DEFINITIONS = {"register": "model", "deploy": "deployment", "smoke": "deployment"}
# These make machines, of which OCI may have none.
_WAITS = ("stage", "finetune", "merge", "deploy")


def pipeline(tenancy: Tenancy, plan: Plan, places: Places, files: Sequence[str]) -> dict[str, Any]:
    """The pipeline of all definitions. *files* are theirs, each before its fallbacks."""
    settings = tenancy.pipeline
    spec: dict[str, Any] = {
        "tenancy": tenancy.name,
        "region": tenancy.region,
        "compartmentId": tenancy.compartment_ocid,
        "projectId": places.project_id,
        "ledger": places.uri(f"{LEDGER_PREFIX}/{tenancy.name}"),
    }
    if settings.spending_limit is not None:
        spec["spendingLimit"] = settings.spending_limit
    spec["question"] = terraform_literal(settings.question)
    spec["steps"] = [
        _step(name, tenancy, plan, places, _definitions(name, files)) for name in _NEEDS
    ]
    return {"kind": "pipeline", "apiVersion": "v1.0", "spec": spec}


def _definitions(name: str, files: Sequence[str]) -> list[str]:
    own = _DEFINITIONS.get(name, name)
    found = [file for file in files if file.partition(".")[0] == own]
    # A question is put to whatever was deployed.
    return found[:1] if _KINDS.get(name) == "answer" else found


def _step(
    name: str, tenancy: Tenancy, plan: Plan, places: Places, definitions: list[str]
) -> dict[str, Any]:
    step: dict[str, Any] = {
        "name": name,
        "kind": _KINDS.get(name, "job"),
        "definitions": definitions,
    }
    if _NEEDS[name]:
        step["needs"] = list(_NEEDS[name])
    step["retries"] = tenancy.pipeline.retries
    if name in _WAITS:
        step["capacityMinutes"] = tenancy.pipeline.capacity_wait_minutes
    if name == "finetune" and tenancy.finetune.recipe == "sft":
        step["checkpoints"] = places.uri(plan.checkpoints_prefix)
    return step
