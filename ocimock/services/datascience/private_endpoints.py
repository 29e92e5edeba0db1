"""Data Science private endpoints: how notebook sessions and deployments are reached in a subnet."""

from __future__ import annotations

import re
from typing import Any

from ...cloud import Cloud
from ...resources import Kind, add, bury, change, crud, get_settled, require, show
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter
from ...wire.message import Response
from . import work_requests
from .base import DEPLOYMENT, NOTEBOOK, PRIVATE_ENDPOINT, SERVICE

# How long it takes to create, change or delete one at real pace.
_SECONDS = 1.0
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")

KIND = Kind(
    name=PRIVATE_ENDPOINT,
    model="DataSciencePrivateEndpoint",
    path_id="dataSciencePrivateEndpointId",
    noun="data_science_private_endpoint",
    plural="data_science_private_endpoints",
    parents=(("subnetId", "subnet"),),
    create_seconds=_SECONDS,
    update_seconds=_SECONDS,
    delete_seconds=_SECONDS,
)


def check_endpoint(cloud: Cloud, details: dict[str, Any], resource_type: str, where: str) -> None:
    """The optional ``privateEndpointId`` of a notebook session or of a deployment's instances.

    :raises InvalidParameter: it is for the other type of resource.
    """
    if not (identifier := details.get("privateEndpointId")):
        return
    found = require(cloud, PRIVATE_ENDPOINT, identifier)
    given = found.data["dataScienceResourceType"]
    if given != resource_type:
        raise InvalidParameter(f"{where}.privateEndpointId: {identifier} is for {given}")


@SERVICE.operation("create_data_science_private_endpoint")
def _create(call: Call) -> Response:
    record = add(call, KIND, call.body(), _check, fqdn=_fqdn(call))
    return _accepted(call, record, "CREATE", show(record))


@SERVICE.operation("update_data_science_private_endpoint")
def _update(call: Call) -> Response:
    record = get_settled(call, KIND)
    body = call.body()
    _check_groups(call, body)
    change(call, KIND, record, body)
    record.data["lifecycleState"] = KIND.lifecycle.updating
    return _accepted(call, record, "UPDATE", show(record))


@SERVICE.operation("delete_data_science_private_endpoint")
def _delete(call: Call) -> Response:
    record = get_settled(call, KIND)
    for kind in (NOTEBOOK, DEPLOYMENT):
        for other in call.cloud.store.live(kind):
            if _names(other.data, record.id):
                raise Conflict(f"private endpoint {record.id} is in use by {kind} {other.id}")
    record.data["lifecycleState"] = KIND.lifecycle.deleting
    return _accepted(call, record, "DELETE", Response(202))


def _accepted(call: Call, record: Record, verb: str, response: Response) -> Response:
    response.headers["opc-work-request-id"] = work_requests.start(
        call,
        f"PRIVATE_ENDPOINT_{verb}",
        record,
        entity="data-science-private-endpoint",
        seconds=_SECONDS,
    )
    return response


@work_requests.at_end("PRIVATE_ENDPOINT_UPDATE")
def _end_update(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        record.data["lifecycleState"] = KIND.lifecycle.active


@work_requests.at_end("PRIVATE_ENDPOINT_DELETE")
def _end_delete(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        bury(cloud, KIND, record)


def _check(call: Call, record: Record) -> None:
    _check_groups(call, record.data)


def _check_groups(call: Call, data: dict[str, Any]) -> None:
    for group in data.get("nsgIds") or []:
        require(call.cloud, "networksecuritygroup", group)


def _fqdn(call: Call) -> str:
    """The name by which the resources behind the endpoint are called.

    :raises InvalidParameter: subDomain is no label of a domain name.
    """
    label = call.body().get("subDomain") or f"pe{call.cloud.ids.token(10)}"
    if not _LABEL.fullmatch(label):
        raise InvalidParameter(
            f"subDomain: '{label}' must be up to 40 lower-case letters, digits and inner hyphens, "
            "the first a letter"
        )
    return f"{label}.{call.region}.oci.oraclecloud.com"


def _names(value: Any, identifier: str) -> bool:
    """Whether some ``privateEndpointId`` in *value* is *identifier*."""
    if isinstance(value, dict):
        if value.get("privateEndpointId") == identifier:
            return True
        return any(_names(item, identifier) for item in value.values())
    return isinstance(value, list) and any(_names(item, identifier) for item in value)


crud(SERVICE, KIND, only=("get", "list", "move"))
