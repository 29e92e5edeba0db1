"""Ending and deleting one resource, by the SDK."""

from __future__ import annotations

from .clock import Clock
from .errors import RefusedError, attempting
from .states import cancel_job_run, model_deployment, science

RUN_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "DELETED"})
"""States that a job run does not leave."""


def cancel_run(run_id: str, clock: Clock, interval: float) -> None:
    """Cancel a job run; returns when it has ended. One that has ended, or is gone, is fine."""
    asked = False
    while (state := _state(run_id)) not in RUN_ENDED:
        if not asked and state != "CANCELING":
            cancel_job_run(run_id, f"cancel the run {run_id}")
            asked = True
        else:
            clock.sleep(interval)


def delete_resource(kind: str, ocid: str, clock: Clock, interval: float) -> None:
    """Delete a job with its runs, a model or a deployment; one that is gone, or going, is fine.

    Of a deployment: returns when it is gone.

    Raises:
        RefusedError: OCI refused; as it does while a run is under way, or a model is deployed.
    """
    delete_one = {"job": _delete_job, "model": _delete_model, "deployment": _delete_deployment}
    try:
        with attempting(f"delete the {kind} {ocid}"):
            delete_one[kind](ocid)
    except RefusedError as error:
        if error.status != 404:
            raise
    if kind == "deployment":
        _wait_until_gone(ocid, clock, interval)


def _state(run_id: str) -> str:
    try:
        with attempting(f"read the run {run_id}"):
            return str(science().get_job_run(run_id).data.lifecycle_state)
    except RefusedError as error:
        if error.status != 404:
            raise
        return "DELETED"


def _delete_job(job_id: str) -> None:
    science().delete_job(job_id, delete_related_job_runs=True)


def _delete_model(model_id: str) -> None:
    """The weights stay in the bucket. OCI refuses to delete a model that is deployed.

    Not by ADS, which first searches the whole tenancy for deployments: that takes a policy of its
    own and lags behind.
    """
    if science().get_model(model_id).data.lifecycle_state != "DELETED":
        science().delete_model(model_id)


def _delete_deployment(deployment_id: str) -> None:
    if model_deployment(deployment_id).lifecycle_state not in {"DELETED", "DELETING"}:
        science().delete_model_deployment(deployment_id)


def _wait_until_gone(deployment_id: str, clock: Clock, interval: float) -> None:
    """A model cannot be deleted while a deployment that serves it is still DELETING."""
    while True:
        try:
            if model_deployment(deployment_id).lifecycle_state == "DELETED":
                return
        except RefusedError as error:
            if error.status == 404:
                return
            raise
        clock.sleep(interval)
