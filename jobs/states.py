"""How what was submitted stands in OCI, read by the SDK: importing ADS takes seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .auth import client
from .clock import SystemClock
from .errors import RecordError, RefusedError, attempting
from .record import FAILED, STEPS, SUCCEEDED, Entry, Records, Run
from .steps import where_it_ran


def observe(entry: Entry) -> Entry:
    """The entry with what OCI says now, whichever step it is of.

    Raises:
        RefusedError: OCI refused; with status 404 it has the resource no more.
        UnreachableError: OCI did not answer.
    """
    if entry.kind == "answer":
        return entry
    if "job_run" in entry.ids:
        return of_job_run(entry, job_run(entry))
    if "deployment" in entry.ids:
        return _observed_deployment(entry)
    with attempting("read the model"):
        return of_model(entry, science().get_model(entry.ids["model"]).data)


def under_way(entry: Entry) -> Entry | None:
    """The entry with what OCI says now; None when it has ended, or OCI has it no more."""
    if entry.ended:
        return None
    try:
        now = observe(entry)
    except RefusedError as error:
        if error.status != 404:
            raise
        return None
    return None if now.ended else now


def refresh(records: Records) -> None:
    """Bring the record up to date with OCI; what OCI has no more is marked DELETED."""
    for entry in records.read().entries.values():
        now = observed_or_gone(entry)
        if now != entry:
            records.put(now)


def observed_or_gone(entry: Entry) -> Entry:
    """As :func:`observe`; what OCI has no more is DELETED."""
    try:
        return observe(entry)
    except RefusedError as error:
        if error.status != 404:
            raise
        return gone(entry)


def gone(entry: Entry) -> Entry:
    """The entry of something that OCI has no more."""
    return _over(entry.changed(state="DELETED", details="OCI has it no more"))


def cancel(entry: Entry) -> Entry:
    """Ask OCI to cancel the run; it is CANCELING until :func:`observe` says otherwise.

    One that ended in this moment, or is being canceled already, is as :func:`observe` says.
    """
    cancel_job_run(entry.ids["job_run"], f"cancel the run of '{entry.step}'")
    return observe(entry)


def cancel_job_run(run_id: str, attempt: str) -> None:
    """Ask OCI to cancel a run, unless it ends already; *attempt* says so for a reader.

    OCI refuses to cancel what has ended with a 409, which the SDK would take for passing for
    minutes.
    """
    from oci.retry import RetryStrategyBuilder

    retries = RetryStrategyBuilder(service_error_retry_config={-1: [], 429: []})
    try:
        with attempting(attempt):
            science().cancel_job_run(run_id, retry_strategy=retries.get_retry_strategy())
    except RefusedError as error:
        if error.status != 409 or not _ends(run_id):
            raise


def latest(run: Run) -> Entry:
    """The entry that was submitted last. Raises :class:`RecordError` when none was."""
    if not run.entries:
        raise RecordError("Nothing was run yet.", "Start with 'python -m jobs run'.")
    never = datetime.min.replace(tzinfo=UTC)
    return max(
        run.entries.values(),
        key=lambda entry: (entry.submitted or never, STEPS.index(entry.step)),
    )


def science(region: str = "") -> Any:
    """The Data Science client; of another *region* than that signed in to, where it is given."""
    from oci.data_science import DataScienceClient

    return client(DataScienceClient, region)


def job_run(entry: Entry, region: str = "") -> Any:
    """The SDK's ``JobRun`` of an entry."""
    with attempting(f"read the run of '{entry.step}'"):
        return science(region).get_job_run(entry.ids["job_run"]).data


def model_deployment(deployment_id: str) -> Any:
    """The SDK's ``ModelDeployment``."""
    with attempting("read the deployment"):
        return science().get_model_deployment(deployment_id).data


def of_job_run(entry: Entry, run: Any) -> Entry:
    """The entry with what the SDK's ``JobRun``, its summary or ADS's object says."""
    return entry.changed(
        state=run.lifecycle_state,
        details=run.lifecycle_details or "",
        **where_it_ran(run.lifecycle_details, simulated=entry.simulated, local=entry.local),
        submitted=run.time_accepted,
        started=run.time_started,
        finished=run.time_finished,
    )


def of_deployment(entry: Entry, deployment: Any) -> Entry:
    """The entry with what the SDK's ``ModelDeployment`` says."""
    seen = entry.changed(
        state=deployment.lifecycle_state,
        details=deployment.lifecycle_details or "",
        **where_it_ran(deployment.lifecycle_details, simulated=entry.simulated, local=entry.local),
        submitted=deployment.time_created,
        started=deployment.time_created,
        url=deployment.model_deployment_url or "",
    )
    return _over(seen) if seen.failed else seen.changed(finished=None)


def of_model(entry: Entry, model: Any) -> Entry:
    """The entry with what the SDK's ``Model`` says."""
    return entry.changed(state=model.lifecycle_state)


def _ends(run_id: str) -> bool:
    with attempting(f"read the run {run_id}"):
        state = science().get_job_run(run_id).data.lifecycle_state
    return state == "CANCELING" or state in FAILED | SUCCEEDED


def _over(entry: Entry) -> Entry:
    """With the time when that was first seen, where OCI tells none: it costs nothing since."""
    return entry.changed(finished=entry.finished or SystemClock().now())


def _observed_deployment(entry: Entry) -> Entry:
    """For a failed one, with its work request's errors: the state alone says nothing."""
    seen = of_deployment(entry, model_deployment(entry.ids["deployment"]))
    errors = _work_request_errors(entry) if seen.state == "FAILED" else []
    if errors:
        details = "; ".join(dict.fromkeys([seen.details, *errors] if seen.details else errors))
        return seen.changed(details=details)
    return seen


def _work_request_errors(entry: Entry) -> list[str]:
    if not entry.ids.get("work_request"):
        return []
    with attempting("read why the deployment failed"):
        errors = science().list_work_request_errors(entry.ids["work_request"]).data
    return [str(error.message) for error in errors]
