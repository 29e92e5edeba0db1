"""What deployments come to: states, and what stands in their way."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud
from ...resources import Kind, Lifecycle, bury, require
from ...store import Record
from ...wire.errors import ObjectNotFound, ServiceError
from ..objectstorage import versions
from ..objectstorage.base import BUCKET, bucket_key
from . import acting, work_requests
from .base import DEPLOYMENT, EXECUTED, MODEL, PROJECT, SIMULATED
from .demands import shortage
from .models import referenced

DETAILS = "modelDeploymentConfigurationDetails"

KIND = Kind(
    name=DEPLOYMENT,
    model="ModelDeployment",
    path_id="modelDeploymentId",
    noun="model_deployment",
    plural="model_deployments",
    # A deployment leaves CREATING by the end of its work request.
    lifecycle=Lifecycle("CREATING", "CREATING", "DELETING", "DELETED"),
    parents=(("projectId", PROJECT),),
)


class DeploymentFailed(ServiceError):  # noqa: N818 - a work request's error, not an answer
    """The deployment did not come up; its work request shows this error."""

    status = 500
    code = "ModelDeploymentFailed"


def model_of(record: Record) -> str:
    """The OCID of the model that a deployment serves."""
    details: dict[str, Any] = record.data[DETAILS]["modelConfigurationDetails"]
    return str(details["modelId"])


def mark(record: Record) -> str:
    """Whether there is a server, in the words that everything shows that shows a state."""
    return EXECUTED if record.private.get("executed") else SIMULATED


def reach(record: Record, state: str, details: str) -> None:
    """Be in *state*, and say *details* of it."""
    record.data["lifecycleState"] = state
    say(record, details)


def say(record: Record, details: str) -> None:
    record.data["lifecycleDetails"] = f"{details.removesuffix('.')} ({mark(record)})."


def obstacle(cloud: Cloud, record: Record) -> str | None:
    """Why the deployment can't come up, if it can't."""
    failure = cloud.settings.failure(record.data["displayName"])
    if failure is not None:
        asked = "Failing, as the mock's settings ask (fail_runs)"
        return f"{asked}: {failure}" if failure else asked
    if lacking := shortage(record):
        return lacking
    environment = record.data[DETAILS].get("environmentConfigurationDetails") or {}
    image = environment.get("image") or ""
    if cloud.images.lacking(image):
        return f"could not pull image {image}: manifest unknown"
    model = require(cloud, MODEL, model_of(record))
    artifact = model.private.get("artifact")
    if artifact is None:
        return f"Model {model.id} has no artifact"
    places = referenced(cloud.blobs.get(artifact["blob"])) or []
    for place in places:
        key = bucket_key(record.private["region"], place["bucketName"])
        bucket = cloud.store.find(BUCKET, key)
        if bucket is None:
            return f"Bucket '{place['bucketName']}' of model {model.id} does not exist"
        for named in place["objects"]:
            try:
                versions.find(cloud, bucket, named["name"], named.get("version") or None)
            except ObjectNotFound as fault:
                return fault.message
    return acting.deployment_refusal(cloud, record, record.data[DETAILS], places)


@work_requests.at_end("MODEL_DEPLOYMENT_CREATE")
def _end_create(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        _come_up(cloud, work, record)


@work_requests.at_end("MODEL_DEPLOYMENT_ACTIVATE")
def _end_activate(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        _come_up(cloud, work, record)


@work_requests.at_end("MODEL_DEPLOYMENT_UPDATE")
def _end_update(cloud: Cloud, work: Record) -> None:
    record = work_requests.subject(cloud, work)
    if record is None:
        return
    if record.private.pop("after", "ACTIVE") == "INACTIVE":
        reach(record, "INACTIVE", "Updated")
    else:
        _come_up(cloud, work, record)


@work_requests.at_end("MODEL_DEPLOYMENT_DEACTIVATE")
def _end_deactivate(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        reach(record, "INACTIVE", "Deactivated")


@work_requests.at_end("MODEL_DEPLOYMENT_DELETE")
def _end_delete(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        bury(cloud, KIND, record)


def _come_up(cloud: Cloud, work: Record, record: Record) -> None:
    """Make the deployment ACTIVE.

    :raises DeploymentFailed: it can't be, and is FAILED.
    """
    # Of a deployment with a server its thread has found out.
    executed = record.private.get("executed")
    reason = work.private.get("failure") if executed else obstacle(cloud, record)
    if reason is None:
        reach(record, "ACTIVE", str(work.private.get("success") or "Ready to answer"))
        return
    reach(record, "FAILED", reason)
    raise DeploymentFailed(f"{str(reason).removesuffix('.')} ({mark(record)}).")
