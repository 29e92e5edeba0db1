"""Ends of a job run that its code has no part in: no host for it, or too long a time."""

from __future__ import annotations

from ...cloud import Cloud
from ...store import Record
from .base import JOB

NO_HOST = "Job run infrastructure provisioning failed"
# When a run for which there is no host fails, in parts of its whole time.
_FAILS = 0.15


def plan_shortage(cloud: Cloud, run: Record) -> None:
    """Schedule the failure of a run for which there is no host."""
    delay = _FAILS * seconds_of(cloud, run)
    cloud.clock.schedule(delay, "datascience.run", f"{run.id}/shortage")


def seconds_of(cloud: Cloud, run: Record) -> float:
    """How long a simulated run takes, from ACCEPTED to its end."""
    job = cloud.store.find(JOB, run.data["jobId"])
    return cloud.settings.seconds_of(job.data["displayName"] if job else "")


def time_out(cloud: Cloud, run: Record, *, after: float) -> list[tuple[float, str]]:
    """The step that ends a run whose maximumRuntimeInMinutes is over, if it has one.

    :param after: when the run starts, in seconds; its time counts from there.
    """
    job = cloud.store.find(JOB, run.data["jobId"])
    minutes = longest(run, job) if job else None
    if minutes is None:
        return []
    run.private["maximumRuntimeInMinutes"] = minutes
    return [(after + minutes * 60.0, "time out")]


def timed_out(run: Record) -> str:
    """What the run shows then.

    OCI documentation, "Creating a Job": the service cancels a job run that takes longer.
    """
    minutes = run.private["maximumRuntimeInMinutes"]
    return f"Job run canceled: it exceeded the maximum runtime of {minutes} minute(s)"


def longest(run: Record, job: Record) -> int | None:
    """How many minutes *run* may take at most, if there is a limit."""
    override = run.data.get("jobConfigurationOverrideDetails") or {}
    groups = (job.data.get("jobNodeConfigurationDetails") or {}).get(
        "jobNodeGroupConfigurationDetailsList"
    ) or []
    configurations = [override, job.data.get("jobConfigurationDetails") or {}]
    configurations += [group.get("jobConfigurationDetails") or {} for group in groups]
    nodes = job.data.get("jobNodeConfigurationDetails") or {}
    for configuration in (*configurations, nodes):
        minutes: int | None = configuration.get("maximumRuntimeInMinutes")
        if minutes is not None:
            return minutes
    return None
