"""Jobs and their artifacts."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, crud, depart, get_live, get_settled
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict
from ...wire.message import Response
from . import artifacts, work_requests
from .base import JOB, JOB_RUN, PROJECT, SERVICE
from .job_checks import check_job

# How long a deletion takes at real pace.
_SECONDS = 0.5

KIND = Kind(
    name=JOB,
    model="Job",
    path_id="jobId",
    noun="job",
    plural="jobs",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETING", "DELETED"),
    parents=(("projectId", PROJECT),),
    delete_seconds=_SECONDS,
)
_RUNNING = ("ACCEPTED", "IN_PROGRESS", "CANCELING", "NEEDS_ATTENTION")


def _check(call: Call, record: Record) -> None:
    data = record.data
    if data.get("jobNodeConfigurationDetails"):
        # What a job of several nodes runs on is said by node group; the API shows it so.
        data.setdefault("jobConfigurationDetails", {"jobType": "EMPTY"})
        data.setdefault("jobInfrastructureConfigurationDetails", {"jobInfrastructureType": "EMPTY"})
    check_job(call.cloud, data)


@SERVICE.operation("delete_job")
def _delete(call: Call) -> Response:
    record = get_settled(call, KIND)
    standing = call.cloud.store.live_to_change(JOB_RUN)
    runs = [run for run in standing if run.data["jobId"] == record.id]
    for run in runs:
        state = run.data["lifecycleState"]
        if state in _RUNNING:
            raise Conflict(f"job {record.id} has a run that is {state}: {run.id}")
    if runs and call.query("deleteRelatedJobRuns") != "true":
        raise Conflict(
            f"job {record.id} has {len(runs)} job run(s), the first is {runs[0].id}; delete them "
            "first or set deleteRelatedJobRuns"
        )
    for run in runs:
        run.deleted = True
        run.data["lifecycleState"] = "DELETED"
    artifacts.drop(call.cloud, record)
    depart(call.cloud, KIND, record)
    work = work_requests.start(call, "JOB_DELETE", record, entity="job", seconds=_SECONDS)
    return Response(204, {"opc-work-request-id": work})


@SERVICE.operation("create_job_artifact")
def _create_artifact(call: Call) -> Response:
    return artifacts.upload(call, get_live(call, KIND))


@SERVICE.operation("head_job_artifact")
def _head_artifact(call: Call) -> Response:
    return artifacts.head(get_live(call, KIND))


@SERVICE.operation("get_job_artifact_content")
def _get_artifact(call: Call) -> Response:
    return artifacts.content(call, get_live(call, KIND))


crud(
    SERVICE,
    KIND,
    on_create=_check,
    on_update=_check,
    only=("create", "get", "list", "update", "move"),
)
