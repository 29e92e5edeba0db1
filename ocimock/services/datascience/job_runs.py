"""Job runs: accepted, simulated or really run, canceled, deleted."""

from __future__ import annotations

import copy

from ...resources import Kind, Lifecycle, add, bury, check_etag, crud, get_live, require, show
from ...service import Call
from ...store import Record
from ...wire.message import Response
from ..logging.management import create_custom_log
from . import run_ends, run_execution, simulation
from .base import JOB, JOB_RUN, PROJECT, SERVICE, require_state
from .demands import claim_run, shortage
from .job_checks import (
    check_infrastructure,
    check_logging,
    check_mounts,
    check_node_overrides,
    check_runtime,
)

KIND = Kind(
    name=JOB_RUN,
    model="JobRun",
    path_id="jobRunId",
    noun="job_run",
    plural="job_runs",
    # A run leaves ACCEPTED on its own way, see simulation.
    lifecycle=Lifecycle("ACCEPTED", "ACCEPTED", "DELETED", "DELETED"),
    parents=(("projectId", PROJECT), ("jobId", JOB)),
)
# How long a run takes to stop at real pace, in seconds.
_CANCEL_SECONDS = 0.5


@SERVICE.operation("create_job_run")
def _create(call: Call) -> Response:
    record = add(call, KIND, call.body(), _settle)
    if shortage(record):
        run_ends.plan_shortage(call.cloud, record)
    elif call.cloud.execution is not None:
        run_execution.execute(call.cloud, call.cloud.execution, record)
    else:
        simulation.plan(call.cloud, record)
    return show(record)


@SERVICE.operation("cancel_job_run")
def _cancel(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACCEPTED", "IN_PROGRESS", "NEEDS_ATTENTION", to="cancel")
    record.data["lifecycleState"] = "CANCELING"
    if record.private.get("executed"):
        run_execution.cancel(call.cloud, record)
    else:
        simulation.cancel(call.cloud, record, _CANCEL_SECONDS)
    return Response(204)


@SERVICE.operation("delete_job_run")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "SUCCEEDED", "FAILED", "CANCELED", "NEEDS_ATTENTION", to="delete")
    bury(call.cloud, KIND, record)
    return Response(204)


def _settle(call: Call, record: Record) -> None:
    """Fill in what a run takes over from its job."""
    data = record.data
    job = require(call.cloud, JOB, data["jobId"])
    multi = job.data.get("jobNodeConfigurationDetails")
    record.private["region"] = call.region
    data["timeAccepted"] = call.cloud.clock.timestamp()
    data["lifecycleDetails"] = simulation.PROVISIONING
    data.setdefault("jobConfigurationOverrideDetails", {"jobType": "EMPTY" if multi else "DEFAULT"})
    where = "jobConfigurationOverrideDetails"
    check_runtime(data[where], where)
    where = "jobInfrastructureConfigurationOverrideDetails"
    if override := data.get(where):
        check_infrastructure(call.cloud, override, where)
    infrastructure = override or job.data["jobInfrastructureConfigurationDetails"]
    data["jobInfrastructureConfigurationDetails"] = copy.deepcopy(infrastructure)
    mounts = "jobStorageMountConfiguration{}DetailsList"
    check_mounts(data.get(mounts.format("Override")) or [])
    if job.data.get(mounts.format("")):
        data[mounts.format("")] = copy.deepcopy(job.data[mounts.format("")])
    check_node_overrides(call.cloud, job.data, data.get("jobNodeConfigurationOverrideDetails"))
    if multi:
        data["nodeGroupDetailsList"] = [
            {"name": group["name"], "lifecycleState": "CREATING"}
            for group in multi["jobNodeGroupConfigurationDetailsList"]
        ]
    _settle_log(call, record, job)
    claim_run(call, record, job)


def _settle_log(call: Call, record: Record, job: Record) -> None:
    details = record.data.get("jobLogConfigurationOverrideDetails") or job.data.get(
        "jobLogConfigurationDetails"
    )
    if not details or not details.get("enableLogging"):
        return
    check_logging(call.cloud, details)
    group, log = details["logGroupId"], details.get("logId")
    if details.get("enableAutoLogCreation"):
        log = create_custom_log(call.cloud, group, record.id, call.region)
    record.data["logDetails"] = {"logGroupId": group, "logId": log}


crud(SERVICE, KIND, only=("get", "list", "update", "move"))
