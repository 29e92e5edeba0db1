"""Deleting what a run made in OCI, last step first.

Weights and logs stay: they lie in what Terraform made, and go with that.
"""

from __future__ import annotations

from .clock import Clock
from .errors import RecordError, RefusedError, attempting
from .record import MAKES, STEPS, Entry, Records
from .states import cancel as cancel_run
from .states import model_deployment, science, under_way
from .watch import View


def delete(
    records: Records, view: View, clock: Clock, interval: float, *, cancel: bool = False
) -> None:
    """Delete the deployments, models and jobs of the record; what is gone already is fine.

    A job run that has not ended is cancelled first when *cancel* is set.

    Raises:
        RecordError: a job run has not ended: it would be lost with its output.
    """
    run = records.read()
    for entry in run.entries.values():
        if entry.kind != "job" or not (now := under_way(entry)):
            continue
        if not cancel:
            raise RecordError(
                f"'{entry.step}' is {now.shown_state}.",
                f"Cancel it first: 'python -m jobs cancel {entry.step}', or delete with --cancel.",
            )
        view.say(f"cancelling '{entry.step}'")
        _cancel(now, clock, interval)
    for step in reversed([step for step in STEPS if run.get(step)]):
        kind = MAKES[step]
        for ocid in run.need(step).made:
            _delete(kind, ocid, clock, interval)
            view.say(f"deleted the {kind} {ocid}")
        records.forget(step)


def _cancel(entry: Entry, clock: Clock, interval: float) -> None:
    if entry.state != "CANCELING":
        cancel_run(entry)
    while under_way(entry):
        clock.sleep(interval)


def _delete(kind: str, ocid: str, clock: Clock, interval: float) -> None:
    delete_one = {"job": _delete_job, "model": _delete_model, "deployment": _delete_deployment}
    try:
        with attempting(f"delete the {kind} {ocid}"):
            delete_one[kind](ocid)
    except RefusedError as error:
        if error.status != 404:
            raise
    if kind == "deployment":
        _wait_until_gone(ocid, clock, interval)


def _delete_job(job_id: str) -> None:
    """With its runs."""
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
