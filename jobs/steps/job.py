"""Staging, fine-tuning and merging: a job, and a run of it."""

from __future__ import annotations

from typing import Any

from ..auth import sign_in_ads
from ..definitions import Definition
from ..errors import JobsError, attempting
from ..record import Entry
from ..states import of_job_run


def submit(step: str, definition: Definition) -> Entry:
    """Create the job and start a run of it.

    A job whose run is refused is deleted again, so that nothing is left to wonder about.
    """
    sign_in_ads()
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
    return of_job_run(entry.changed(**definition.machine), run)


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
