"""Model deployments: what they need, and how they come up, change and go."""

from __future__ import annotations

import copy
from typing import Any

from ...cloud import Cloud
from ...resources import (
    Kind,
    Lifecycle,
    add,
    bury,
    change,
    check_etag,
    crud,
    get_live,
    require,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import (
    IncorrectState,
    InvalidParameter,
    NotImplementedByMock,
    ObjectNotFound,
    ServiceError,
)
from ...wire.message import Response
from ..objectstorage import versions
from ..objectstorage.base import BUCKET, bucket_key
from . import acting, work_requests
from .base import DEPLOYMENT, MODEL, PROJECT, SERVICE, SIMULATED, require_state
from .demands import claim_deployment, shortage
from .environments import check_deployment
from .models import referenced
from .private_endpoints import check_endpoint
from .shapes import check_shape

_DETAILS = "modelDeploymentConfigurationDetails"
# How long it takes to delete one at real pace, in seconds; the rest takes settings.deploy_seconds.
_DELETE_SECONDS = 1.0

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


@SERVICE.operation("create_model_deployment")
def _create(call: Call) -> Response:
    record = add(call, KIND, call.body(), _settle)
    url = f"https://modeldeployment.{call.region}.oci.customer-oci.com/{record.id}"
    record.data["modelDeploymentUrl"] = url
    record.data["lifecycleDetails"] = f"Creating ({SIMULATED})."
    record.private["region"] = call.region
    return _accepted(call, record, "CREATE", show(record, 202))


@SERVICE.operation("update_model_deployment")
def _update(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", "INACTIVE", "FAILED", "NEEDS_ATTENTION", to="update")
    body = call.body()
    before, private = copy.deepcopy(record.data), dict(record.private)
    record.private["after"] = record.data["lifecycleState"]
    for name in (_DETAILS, "categoryLogDetails"):
        if name in body:
            body[name] = _merged(record.data.get(name) or {}, body[name])
    change(call, KIND, record, body)
    try:
        _settle(call, record)
    except ServiceError:
        record.data, record.private = before, private
        raise
    record.data["lifecycleState"] = "UPDATING"
    return _accepted(call, record, "UPDATE", Response(202))


@SERVICE.operation("activate_model_deployment")
def _activate(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "INACTIVE", to="activate")
    claim_deployment(call, record, record.data[_DETAILS]["modelConfigurationDetails"])
    record.data["lifecycleState"] = "UPDATING"
    return _accepted(call, record, "ACTIVATE", Response(202))


@SERVICE.operation("deactivate_model_deployment")
def _deactivate(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", to="deactivate")
    record.data["lifecycleState"] = "UPDATING"
    return _accepted(call, record, "DEACTIVATE", Response(202))


@SERVICE.operation("delete_model_deployment")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", "INACTIVE", "FAILED", "NEEDS_ATTENTION", to="delete")
    record.data["lifecycleState"] = "DELETING"
    return _accepted(call, record, "DELETE", Response(202))


def model_of(record: Record) -> str:
    """The OCID of the model that a deployment serves."""
    details = record.data[_DETAILS]["modelConfigurationDetails"]
    return str(details["modelId"])


def _settle(call: Call, record: Record) -> None:
    """Check what the deployment asks for and fill in defaults.

    :raises InvalidParameter: a field is wrong; the message names it.
    :raises NotAuthorizedOrNotFound: model, subnet or log is not there.
    """
    details = record.data[_DETAILS]
    if details["deploymentType"] != "SINGLE_MODEL":
        raise NotImplementedByMock(f"ocimock has no deployments of {details['deploymentType']}")
    model_details = details["modelConfigurationDetails"]
    model = require(call.cloud, MODEL, model_details["modelId"])
    if model.data["lifecycleState"] != "ACTIVE":
        raise IncorrectState(f"model {model.id} is {model.data['lifecycleState']}, not ACTIVE")
    environment = "environmentConfigurationDetails"
    check_deployment(details.get(environment), f"{_DETAILS}.{environment}")
    record.private["search"] = {"modelId": model.id}
    _check_instances(call, model_details, f"{_DETAILS}.modelConfigurationDetails")
    for name, log in (record.data.get("categoryLogDetails") or {}).items():
        require(call.cloud, "loggroup", log["logGroupId"])
        found = require(call.cloud, "log", log["logId"])
        if found.data["logGroupId"] != log["logGroupId"]:
            raise InvalidParameter(
                f"categoryLogDetails.{name}.logId: {log['logId']} is not in {log['logGroupId']}"
            )
    if record.data["lifecycleState"] != "INACTIVE":
        claim_deployment(call, record, model_details)


def _check_instances(call: Call, details: dict[str, Any], where: str) -> None:
    instance = details["instanceConfiguration"]
    place = f"{where}.instanceConfiguration"
    check_shape(instance["instanceShapeName"], "deployments", f"{place}.instanceShapeName")
    if instance.get("subnetId"):
        require(call.cloud, "subnet", instance["subnetId"])
    check_endpoint(call.cloud, instance, "MODEL_DEPLOYMENT", place)
    policy = details.setdefault("scalingPolicy", {"policyType": "FIXED_SIZE", "instanceCount": 1})
    if policy.get("instanceCount", 1) < 1:
        raise InvalidParameter(
            f"{where}.scalingPolicy.instanceCount: {policy['instanceCount']} is less than 1"
        )
    details.setdefault("bandwidthMbps", 10)


def _accepted(call: Call, record: Record, operation: str, response: Response) -> Response:
    seconds = call.cloud.settings.deploy_seconds
    work = work_requests.start(
        call,
        f"MODEL_DEPLOYMENT_{operation}",
        record,
        entity="model-deployment",
        seconds=_DELETE_SECONDS if operation == "DELETE" else seconds,
    )
    response.headers["opc-work-request-id"] = work
    return response


@work_requests.at_end("MODEL_DEPLOYMENT_CREATE")
def _end_create(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        _come_up(cloud, record)


@work_requests.at_end("MODEL_DEPLOYMENT_ACTIVATE")
def _end_activate(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        _come_up(cloud, record)


@work_requests.at_end("MODEL_DEPLOYMENT_UPDATE")
def _end_update(cloud: Cloud, work: Record) -> None:
    record = work_requests.subject(cloud, work)
    if record is None:
        return
    if record.private.pop("after", "ACTIVE") == "INACTIVE":
        _reach(record, "INACTIVE", "Updated")
    else:
        _come_up(cloud, record)


@work_requests.at_end("MODEL_DEPLOYMENT_DEACTIVATE")
def _end_deactivate(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        _reach(record, "INACTIVE", "Deactivated")


@work_requests.at_end("MODEL_DEPLOYMENT_DELETE")
def _end_delete(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        bury(cloud, KIND, record)


def _come_up(cloud: Cloud, record: Record) -> None:
    """Make the deployment ACTIVE.

    :raises DeploymentFailed: it can't be, and is FAILED.
    """
    reason = _obstacle(cloud, record)
    if reason is None:
        _reach(record, "ACTIVE", "Ready to answer")
        return
    _reach(record, "FAILED", reason)
    raise DeploymentFailed(f"{reason} ({SIMULATED}).")


def _reach(record: Record, state: str, details: str) -> None:
    record.data["lifecycleState"] = state
    record.data["lifecycleDetails"] = f"{details} ({SIMULATED})."


def _obstacle(cloud: Cloud, record: Record) -> str | None:
    """Why the deployment can't come up, if it can't."""
    name = str(record.data["displayName"]).lower()
    if any(word.lower() in name for word in cloud.settings.fail_runs):
        return "Failing, as the mock's settings ask (fail_runs)"
    if lacking := shortage(record):
        return lacking
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
    return acting.deployment_refusal(cloud, record, record.data[_DETAILS], places)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """*new* over *old*, map by map; a map that names another type replaces the old one whole."""
    merged = dict(old)
    for name, value in new.items():
        before = old.get(name)
        if (
            isinstance(value, dict)
            and isinstance(before, dict)
            # The variables of an environment are one value: one that is left out is gone.
            and name != "environmentVariables"
            and _alike(before, value)
        ):
            merged[name] = _merged(before, value)
        else:
            merged[name] = value
    return merged


def _alike(old: dict[str, Any], new: dict[str, Any]) -> bool:
    types = ("policyType", "environmentConfigurationType", "deploymentType")
    return all(old.get(name) == new.get(name, old.get(name)) for name in types)


crud(SERVICE, KIND, only=("get", "list", "move"))
