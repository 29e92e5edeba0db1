"""What stands in OCI of a tenancy and is of no use: found by its tags, for ``jobs clean``.

What does not carry the tenancy's tag is never looked at twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .clock import Clock
from .cost import per_hour
from .deletion import RUN_ENDED, cancel_run, delete_resource
from .errors import RefusedError, attempting
from .idempotency import KEY_TAG, STEP_TAG, TENANCY_TAG
from .ledger import Ledger
from .pipeline import Pipeline
from .states import science

UNKNOWN = "the ledger does not know it"
REPLACED = "replaced by a later one"
EMPTY = "it has no artifact"
NEVER_RAN = "it has no run"

# The order in which they can be deleted: OCI keeps a model while a deployment serves it.
_LISTS = {
    "deployment": "list_model_deployments",
    "model": "list_models",
    "job": "list_jobs",
}
_GONE = frozenset({"DELETED", "DELETING"})
_DAY = 24


@dataclass(frozen=True)
class Orphan:
    """A job, a model or a deployment; *reason* says why nobody needs it.

    *runs* are the OCIDs of its job runs that have not ended, *per_hour* what it costs in US dollars
    by list price as long as it stands: 0 for nothing, None where no price is known.
    """

    kind: str
    id: str
    name: str
    step: str
    state: str
    created: datetime
    reason: str
    runs: tuple[str, ...] = ()
    per_hour: float | None = 0

    def age(self, now: datetime) -> str:
        """For a reader: days, or hours."""
        hours = (now - self.created).total_seconds() / 3600
        return f"{hours / _DAY:.0f} d" if hours >= 2 * _DAY else f"{max(hours, 0):.1f} h"


def find(pipeline: Pipeline, ledger: Ledger) -> list[Orphan]:
    """The orphans of the pipeline's tenancy, in the order in which they can be deleted.

    Raises:
        RefusedError, UnreachableError: OCI does not tell.
    """
    reason_of = _reasons(ledger)
    found = []
    for kind in _LISTS:
        for each in _tagged(pipeline, kind):
            reason = reason_of(kind, each)
            if reason:
                found.append(_priced(_orphan(kind, each, reason), each))
    return found


def delete(orphan: Orphan, clock: Clock, interval: float, say: Callable[[str], None]) -> None:
    """Delete it; its runs that have not ended are cancelled first. What is gone is fine.

    Raises:
        RefusedError, UnreachableError: OCI refused, or did not answer.
    """
    for run in orphan.runs:
        say(f"cancelling {run}")
        cancel_run(run, clock, interval)
    delete_resource(orphan.kind, orphan.id, clock, interval)


def _reasons(ledger: Ledger) -> Callable[[str, Any], str]:
    """Why a resource is an orphan, or ''."""
    known, current = ledger.known(), ledger.current()
    entries = ledger.read().entries.values()
    needed = {ocid for entry in entries for ocid in entry.ids.values()}
    replaced = {
        ocid
        for pipeline in ledger.pipelines()
        for entry in ledger.read(pipeline.number).entries.values()
        for ocid in entry.replaced
    }
    # What a pipeline that is not over has begun: it goes on with it, though it may never have heard
    # its OCID.
    begun = {
        str(event.details["key"])
        for event in (ledger.events() if current and current.state == "RUNNING" else ())
        if "key" in event.details
    }

    def reason(kind: str, found: Any) -> str:
        if found.id in needed or found.freeform_tags.get(KEY_TAG) in begun:
            return ""
        if found.id not in known:
            return UNKNOWN
        if found.id in replaced:
            return REPLACED
        if kind == "model" and not _has_artifact(found.id):
            return EMPTY
        return NEVER_RAN if kind == "job" and not list(_runs(found)) else ""

    return reason


def _tagged(pipeline: Pipeline, kind: str) -> Iterator[Any]:
    from oci.pagination import list_call_get_all_results_generator

    with attempting(f"list the {kind}s"):
        for each in list_call_get_all_results_generator(
            getattr(science(), _LISTS[kind]),
            "record",
            pipeline.compartment_id,
            project_id=pipeline.project_id,
        ):
            tags = each.freeform_tags or {}
            if tags.get(TENANCY_TAG) == pipeline.tenancy and each.lifecycle_state not in _GONE:
                yield each


def _orphan(kind: str, found: Any, reason: str) -> Orphan:
    return Orphan(
        kind=kind,
        id=found.id,
        name=found.display_name or "",
        step=found.freeform_tags.get(STEP_TAG, ""),
        state=found.lifecycle_state,
        created=found.time_created,
        reason=reason,
    )


def _priced(orphan: Orphan, found: Any) -> Orphan:
    """With what it costs while it stands: a deployment that serves, and a job while it runs."""
    if orphan.kind == "deployment" and orphan.state not in {"FAILED", "INACTIVE"}:
        model = found.model_deployment_configuration_details.model_configuration_details
        machine = model.instance_configuration
        size = machine.model_deployment_instance_shape_config_details
        count = model.scaling_policy.instance_count
        return replace(orphan, per_hour=_price(machine.instance_shape_name, count, size))
    if orphan.kind != "job":
        return orphan
    runs = tuple(run.id for run in _runs(found) if run.lifecycle_state not in RUN_ENDED)
    if not runs:
        return orphan
    with attempting(f"read the job {orphan.id}"):
        job = science().get_job(orphan.id).data
    nodes, count = job, 1
    if job.job_node_configuration_details:
        [nodes] = job.job_node_configuration_details.job_node_group_configuration_details_list
        count = nodes.replicas
    machine = nodes.job_infrastructure_configuration_details
    size = machine.job_shape_config_details
    each = _price(machine.shape_name, count, size)
    return replace(orphan, runs=runs, per_hour=None if each is None else each * len(runs))


def _price(shape: str, count: int, size: Any) -> float | None:
    return per_hour(
        shape,
        count or 1,
        ocpus=getattr(size, "ocpus", 0) or 0,
        memory_gb=getattr(size, "memory_in_gbs", 0) or 0,
    )


def _runs(job: Any) -> Iterator[Any]:
    from oci.pagination import list_call_get_all_results_generator

    with attempting(f"list the runs of {job.id}"):
        yield from (
            run
            for run in list_call_get_all_results_generator(
                science().list_job_runs, "record", job.compartment_id, job_id=job.id
            )
            if run.lifecycle_state != "DELETED"
        )


def _has_artifact(model_id: str) -> bool:
    try:
        with attempting(f"read the artifact of {model_id}"):
            science().head_model_artifact(model_id)
    except RefusedError as error:
        if error.status != 404:
            raise
        return False
    return True
