"""Staging, fine-tuning and merging: a job, and a run of it."""

from __future__ import annotations

from typing import Any

from ..definitions import Definition
from ..errors import JobsError, RefusedError, attempting
from ..record import Entry
from . import where_it_ran


def submit(step: str, definition: Definition) -> Entry:
    """Create the job and start a run of it.

    A job whose run is refused is deleted again, so that nothing is left to wonder about.
    """
    from ads.jobs import Job

    title = definition.title
    with attempting(f"create the job '{title}'"):
        job: Any = Job.from_yaml(definition.text).create()
    try:
        with attempting(f"start a run of the job '{title}'"):
            run = job.run()
    except JobsError as error:
        error.what += _take_back(job)
        raise
    entry = Entry(
        step=step,
        state=run.lifecycle_state,
        ids={"job": job.id, "job_run": run.id},
        digest=definition.digest,
        title=title,
    )
    return _filled(entry.changed(**definition.machine), run)


def observe(entry: Entry) -> Entry:
    """The entry with what OCI says of its run now."""
    return _filled(entry, _run(entry))


def cancel(entry: Entry) -> Entry:
    """Ask OCI to cancel the run; it is CANCELING until :func:`observe` says otherwise."""
    run = _run(entry)
    with attempting(f"cancel the run of '{entry.step}'"):
        run.cancel(wait_for_completion=False)
    return observe(entry)


def delete(job_id: str) -> None:
    """Delete a job with its runs; one that is gone already is fine."""
    from ads.jobs import Job

    try:
        with attempting(f"delete the job {job_id}"):
            Job.from_datascience_job(job_id).delete()
    except RefusedError as error:
        if error.status != 404:
            raise


def _filled(entry: Entry, run: Any) -> Entry:
    return entry.changed(
        state=run.lifecycle_state,
        details=run.lifecycle_details or "",
        **where_it_ran(run.lifecycle_details, simulated=entry.simulated, local=entry.local),
        submitted=run.time_accepted,
        started=run.time_started,
        finished=run.time_finished,
    )


def _run(entry: Entry) -> Any:
    from ads.jobs import DataScienceJobRun

    with attempting(f"read the run of '{entry.step}'"):
        return DataScienceJobRun.from_ocid(entry.ids["job_run"])


def _take_back(job: Any) -> str:
    try:
        with attempting("delete the job"):
            job.delete()
    except JobsError:
        return f"\nThe job {job.id} is left without a run: delete it."
    return "\nThe job itself was deleted again."
