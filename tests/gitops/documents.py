"""Plans as ``terraform show -json`` tells them, cut down to what is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitops import changes
from gitops.changes import Change
from gitops.planning import StackPlan
from gitops.stacks import Stack

BUCKET = "oci_objectstorage_bucket.bucket"


def stack(name: str = "demo-data", *, backend: str = "oci", **reads: set[str]) -> Stack:
    """A stack that was synthesized; *reads* are outputs, by the last word of their stack's name."""
    needed = {f"demo-{other}": frozenset(outputs) for other, outputs in reads.items()}
    return Stack(name, Path("cdktf.out/stacks") / name, tuple(needed), backend, needed, "digest")


def resource(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    """An entry of ``resource_changes``."""
    kind = address.partition(".")[0]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "change": {"actions": list(actions), "before": None, "after": None, **change},
    }


def document(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource_changes": list(resources), **more}


def plan_of(planned: Stack, found: dict[str, Any] | None, **more: Any) -> StackPlan:
    """A stack's plan out of a document."""
    return StackPlan(
        planned,
        Path(f"{planned.name}.tfplan"),
        resources=changes.resources(found),
        behind=changes.behind(found),
        outputs=changes.outputs(found),
        changed_outputs=changes.changed_output_names(found),
        **more,
    )


def replaced_bucket() -> dict[str, Any]:
    """A bucket that gets another name."""
    return resource(
        BUCKET,
        "delete",
        "create",
        before={"name": "old", "count": 7},
        after={"name": "new"},
        after_unknown={"count": True, "id": True},
        replace_paths=[["name"]],
    )


def only(found: dict[str, Any]) -> Change:
    (change,) = changes.resources(found)
    return change
