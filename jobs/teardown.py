"""Deleting what a run made in OCI, last step first.

Weights and logs stay: they lie in what Terraform made, and go with that.
"""

from __future__ import annotations

from .clock import Clock
from .deletion import cancel_run, delete_resource
from .errors import RecordError
from .record import MAKES, STEPS, Records
from .states import under_way
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
        cancel_run(now.ids["job_run"], clock, interval)
    for step in reversed([step for step in STEPS if run.get(step)]):
        kind = MAKES[step]
        for ocid in run.need(step).made:
            delete_resource(kind, ocid, clock, interval)
            view.say(f"deleted the {kind} {ocid}")
        records.forget(step)
