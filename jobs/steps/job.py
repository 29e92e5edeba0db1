"""Staging, fine-tuning and merging: a job, and one run of it."""

from __future__ import annotations

from typing import Any

from ..auth import sign_in_ads
from ..errors import RefusedError, attempting
from ..idempotency import Submission, submitting
from ..record import Entry
from ..states import of_job_run, science


def submit(submission: Submission) -> Entry:
    """Go on with the submission from where it stands in OCI, to a run of its job.

    A job without its artifact gets it, one without a run gets that; where all is there, nothing
    is created.

    Raises:
        RefusedError, UnreachableError: OCI refused, or did not answer. What was made stands, and
            the next try goes on with it; :func:`take_back` deletes it.
    """
    job_id = _job(submission)
    run = _run(submission, job_id)
    entry = Entry(state="", ids={"job": job_id, "job_run": run.id}, **submission.fields)
    return of_job_run(entry, run)


def find(submission: Submission) -> Entry | None:
    """The run of the submission, if OCI has one already."""
    job = _found_job(submission)
    run = _found_run(submission, job.id) if job else None
    if job is None or run is None:
        return None
    entry = Entry(state="", ids={"job": job.id, "job_run": run.id}, **submission.fields)
    return of_job_run(entry, run)


def take_back(submission: Submission) -> str:
    """Delete a job that never got a run; what was done, for a reader, or ''."""
    job = _found_job(submission)
    if job is None or _found_run(submission, job.id) is not None:
        return ""
    submission.note("deleting job", job=job.id)
    with attempting(f"delete the job {job.id}"):
        science().delete_job(job.id)
    return "The job itself was deleted again."


def _job(submission: Submission) -> str:
    """The submission's job, with its artifact."""
    found = _found_job(submission)
    if found is None:
        submission.note("creating job", display_name=submission.name)
        created = _created(submission)
        submission.note("job created", job=created)
        return created
    job_id = str(found.id)
    if _has_artifact(job_id):
        submission.note("job found", job=job_id)
        return job_id
    submission.note("completing job", job=job_id)
    _upload(submission, job_id)
    submission.note("job completed", job=job_id)
    return job_id


def _run(submission: Submission, job_id: str) -> Any:
    found = _found_run(submission, job_id)
    if found is not None:
        submission.note("run found", job=job_id, job_run=found.id)
        return found
    submission.note("starting run", job=job_id)
    run = _started(submission, job_id)
    submission.note("run started", job=job_id, job_run=run.id)
    return run


def _found_job(submission: Submission) -> Any | None:
    return submission.found("job", science().list_jobs)


def _found_run(submission: Submission, job_id: str) -> Any | None:
    """The newest run of the job, however it ended: its name need not be known."""
    from oci.pagination import list_call_get_all_results

    with attempting(f"look for a run of the job '{submission.name}'"):
        listed = list_call_get_all_results(
            science().list_job_runs, submission.compartment_id, job_id=job_id
        ).data
        runs = [each for each in listed if each.lifecycle_state not in {"DELETED", "DELETING"}]
        if not runs:
            return None
        newest = max(runs, key=lambda each: each.time_accepted)
        return science().get_job_run(newest.id).data


def _has_artifact(job_id: str) -> bool:
    try:
        with attempting(f"look for the artifact of the job {job_id}"):
            science().head_job_artifact(job_id)
    except RefusedError as error:
        if error.status != 404:
            raise
        return False
    return True


def _created(submission: Submission) -> str:
    from ads.jobs import Job

    with attempting(f"create the job '{submission.name}'"), submitting(submission.key):
        sign_in_ads()
        job: Any = Job.from_yaml(submission.text).create()
    return str(job.id)


def _upload(submission: Submission, job_id: str) -> None:
    """The artifact that ADS would have uploaded when it created the job."""
    from ads.jobs import Job
    from ads.jobs.builders.infrastructure.dsc_job import DataScienceJobRuntimeManager, DSCJob

    with attempting(f"upload the artifact of the job '{submission.name}'"):
        sign_in_ads()
        job: Any = Job.from_yaml(submission.text)
        payload = DataScienceJobRuntimeManager(job.infrastructure).translate(job.runtime)
        half_made: Any = DSCJob(id=job_id, artifact=payload["artifact"])
        with half_made.artifact as artifact, submitting(submission.key):
            half_made.upload_artifact(artifact.path)


def _started(submission: Submission, job_id: str) -> Any:
    """A run named like its job, not by the time, so that the request is the same when sent again.

    By ADS's job, not by its runtime's ``run``: that prints a traceback when OCI refuses. What it
    adds for a single node is added here.
    """
    from ads.jobs.builders.infrastructure.dsc_job import DSCJob

    single = submission.definition.replicas == 1
    with attempting(f"start a run of the job '{submission.name}'"):
        sign_in_ads()
        job: Any = DSCJob.from_ocid(job_id)
        with submitting(submission.key):
            return job.run(
                display_name=submission.name,
                freeform_tags={**(job.freeform_tags or {}), **submission.tags},
                defined_tags=job.defined_tags,
                environment_variables={"NODE_RANK": "0", "NODE_COUNT": "1"} if single else None,
            )
