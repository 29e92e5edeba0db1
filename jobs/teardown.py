"""Deleting what a run made in OCI, last step first.

Weights and logs stay: they lie in what Terraform made, and go with that.
"""

from __future__ import annotations

from .clock import Clock
from .errors import RecordError, RefusedError
from .record import STEPS, Records, Run
from .runner import observe
from .steps import deployment, job, model
from .watch import View


def delete(records: Records, view: View, clock: Clock, interval: float) -> None:
    """Delete deployments, the model and the jobs of the record; what is gone already is fine.

    Raises:
        RecordError: a job run has not ended: it would be lost with its output.
    """
    run = records.read()
    _need_ended_runs(run)
    for step in reversed(STEPS):
        entry = run.get(step)
        if entry is None:
            continue
        for ocid in (entry.ids.get("deployment"), *entry.replaced):
            if ocid:
                deployment.delete(ocid)
                _wait_until_gone(ocid, clock, interval)
                view.say(f"deleted the deployment {ocid}")
        if step == "register":
            model.delete(entry)
            view.say(f"deleted the model {entry.ids['model']}")
        if "job" in entry.ids:
            job.delete(entry)
            view.say(f"deleted the job {entry.ids['job']} and its runs")
        records.forget(step)


def _need_ended_runs(run: Run) -> None:
    for step, entry in run.entries.items():
        if "job_run" not in entry.ids:
            continue
        try:
            now = observe(entry)
        except RefusedError as error:
            if error.status == 404:
                continue
            raise
        if not now.ended:
            raise RecordError(
                f"'{step}' is {now.shown_state}.",
                f"Cancel it first: 'python -m jobs cancel {step}'.",
            )


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
