"""Model deployments: what they need, and how they come up, change and go."""

from __future__ import annotations

import copy
from typing import Any

from ...cloud import Cloud, resumed
from ...resources import add, change, check_etag, crud, get_live, require, show
from ...service import Call
from ...store import Record
from ...wire.errors import IncorrectState, InvalidParameter, NotImplementedByMock, ServiceError
from ...wire.message import Response
from . import deployment_execution, work_requests
from .base import DEPLOYMENT, MODEL, SERVICE, require_state
from .demands import claim_deployment
from .deployment_ends import DETAILS, KIND, say
from .environments import check_deployment
from .private_endpoints import check_endpoint
from .shapes import check_shape

# How long it takes to delete one at real pace, in seconds; the rest takes settings.deploy_seconds.
_DELETE_SECONDS = 1.0
_GOING_DOWN = ("_DEACTIVATE", "_DELETE")


@SERVICE.operation("create_model_deployment")
def _create(call: Call) -> Response:
    record = add(call, KIND, call.body(), _settle)
    url = f"https://modeldeployment.{call.region}.oci.customer-oci.com/{record.id}"
    record.data["modelDeploymentUrl"] = url
    record.private["region"] = call.region
    record.private["executed"] = call.cloud.execution is not None
    say(record, "Creating")
    return _come_up(call, record, "CREATE", show(record, 202))


@SERVICE.operation("update_model_deployment")
def _update(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", "INACTIVE", "FAILED", "NEEDS_ATTENTION", to="update")
    body = call.body()
    before, private = copy.deepcopy(record.data), dict(record.private)
    record.private["after"] = record.data["lifecycleState"]
    for name in (DETAILS, "categoryLogDetails"):
        if name in body:
            body[name] = _merged(record.data.get(name) or {}, body[name])
    change(call, KIND, record, body)
    try:
        _settle(call, record)
    except ServiceError:
        record.data, record.private = before, private
        raise
    record.data["lifecycleState"] = "UPDATING"
    after = record.private["after"]
    # A server knows nothing of names and logs, so it can stay.
    if after == "INACTIVE" or (after == "ACTIVE" and before[DETAILS] == record.data[DETAILS]):
        return _accepted(call, record, "UPDATE", Response(202))
    return _come_up(call, record, "UPDATE", Response(202))


@SERVICE.operation("activate_model_deployment")
def _activate(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "INACTIVE", to="activate")
    claim_deployment(call, record, record.data[DETAILS]["modelConfigurationDetails"])
    record.data["lifecycleState"] = "UPDATING"
    return _come_up(call, record, "ACTIVATE", Response(202))


@SERVICE.operation("deactivate_model_deployment")
def _deactivate(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", to="deactivate")
    record.data["lifecycleState"] = "UPDATING"
    return _go_down(call, record, "DEACTIVATE")


@SERVICE.operation("delete_model_deployment")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", "INACTIVE", "FAILED", "NEEDS_ATTENTION", to="delete")
    record.data["lifecycleState"] = "DELETING"
    return _go_down(call, record, "DELETE")


def _settle(call: Call, record: Record) -> None:
    """Check what the deployment asks for and fill in defaults.

    :raises InvalidParameter: a field is wrong; the message names it.
    :raises NotAuthorizedOrNotFound: model, subnet or log is not there.
    """
    details = record.data[DETAILS]
    if details["deploymentType"] != "SINGLE_MODEL":
        raise NotImplementedByMock(f"ocimock has no deployments of {details['deploymentType']}")
    model_details = details["modelConfigurationDetails"]
    model = require(call.cloud, MODEL, model_details["modelId"])
    if model.data["lifecycleState"] != "ACTIVE":
        raise IncorrectState(f"model {model.id} is {model.data['lifecycleState']}, not ACTIVE")
    environment = "environmentConfigurationDetails"
    check_deployment(details.get(environment), f"{DETAILS}.{environment}")
    record.private["search"] = {"modelId": model.id}
    _check_instances(call, model_details, f"{DETAILS}.modelConfigurationDetails")
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


def _come_up(call: Call, record: Record, operation: str, response: Response) -> Response:
    """Accept work whose end is a deployment that serves."""
    execution = call.cloud.execution
    if execution is None:
        record.private["executed"] = False
        return _accepted(call, record, operation, response)
    work = _accept(call, record, operation, response, None)
    deployment_execution.execute(call.cloud, execution, record, work)
    return response


def _go_down(call: Call, record: Record, operation: str) -> Response:
    """Accept work whose end is a deployment without a server."""
    response = Response(202)
    worker = deployment_execution.worker_of(call.cloud, record)
    if worker is None:
        return _accepted(call, record, operation, response)
    worker.stop(_accept(call, record, operation, response, None))
    return response


def _accepted(call: Call, record: Record, operation: str, response: Response) -> Response:
    """Accept work that takes the time that the mock's settings give it."""
    whole = call.cloud.settings.deploy_seconds
    _accept(call, record, operation, response, _DELETE_SECONDS if operation == "DELETE" else whole)
    return response


def _accept(
    call: Call, record: Record, operation: str, response: Response, seconds: float | None
) -> str:
    """The work request; without *seconds* it takes as long as it takes."""
    work = work_requests.start(
        call,
        f"MODEL_DEPLOYMENT_{operation}",
        record,
        entity="model-deployment",
        seconds=seconds,
        open_ended=seconds is None,
    )
    record.private["work"] = work
    response.headers["opc-work-request-id"] = work
    return work


@resumed
def _go_on(cloud: Cloud) -> None:
    """Servers that ended with an earlier mock come up again, or are simulated from here on."""
    for record in cloud.store.live_to_change(DEPLOYMENT):
        if record.private.get("executed"):
            _resume(cloud, record)


def _resume(cloud: Cloud, record: Record) -> None:
    work = work_requests.find(cloud, record.private["work"])
    if work is not None and not (work.private["open_ended"] and work_requests.is_open(work)):
        work = None
    goes_down = work is not None and work.data["operationType"].endswith(_GOING_DOWN)
    if cloud.execution is None:
        record.private["executed"] = False
        say(record, "Taken up again by a mock that does not execute")
    elif record.data["lifecycleState"] == "ACTIVE" or (work is not None and not goes_down):
        if work is None:
            say(record, "Its server comes up again, as ocimock was started again")
        deployment_execution.execute(cloud, cloud.execution, record, work.id if work else None)
        return
    if work is not None:
        work_requests.finish(cloud, work)


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
