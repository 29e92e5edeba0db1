"""Deleting what a run made in OCI, last step first.

Weights and logs stay: they lie in what Terraform made, and go with that.
"""

from __future__ import annotations

from .clock import Clock
from .errors import RecordError, RefusedError
from .record import MAKES, STEPS, Entry, Records
from .runner import under_way
from .steps import deployment, job, model
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
        job.cancel(entry)
    while under_way(entry):
        clock.sleep(interval)


def _delete(kind: str, ocid: str, clock: Clock, interval: float) -> None:
    if kind == "job":
        job.delete(ocid)
    elif kind == "model":
        model.delete(ocid)
    else:
        deployment.delete(ocid)
        _wait_until_gone(ocid, clock, interval)


def _wait_until_gone(deployment_id: str, clock: Clock, interval: float) -> None:
    """A model cannot be deleted while a deployment that serves it is still DELETING."""
    while True:
        try:
            if deployment.state(deployment_id) == "DELETED":
                return
        except RefusedError as error:
            if error.status == 404:
                return
            raise
        clock.sleep(interval)
