"""Models of the catalog: entries, provenance and artifacts."""

from __future__ import annotations

import json
from typing import Any

from ... import acts
from ...resources import bury, check_etag, crud, get_live, require, show
from ...service import Call
from ...store import Record
from ...wire.body import Body
from ...wire.errors import (
    AlreadyExists,
    Conflict,
    InvalidParameter,
    NoEtagMatch,
    NotAuthorizedOrNotFound,
)
from ...wire.message import Response
from . import artifacts
from .acting import read_objects, service
from .base import SERVICE, VERSION_SET, require_state
from .catalog import KIND as KIND
from .catalog import delete_artifacts, deployments_of, groups_of, readable
from .model_retention import settle_retention

# The type that the JSON of a model by reference states.
REFERENCE_TYPE = "modelOSSReferenceDescription"
# Bytes. What is larger is an artifact itself.
_MOST_REFERENCE = 16 * 1024 * 1024


def _settle(call: Call, record: Record) -> None:
    _join_version_set(call, record)
    settle_retention(call, record)


def _join_version_set(call: Call, record: Record) -> None:
    """Give a model of a version set the set's name and its own number in it."""
    set_id = record.data.get("modelVersionSetId")
    if not set_id or record.private.get("versionSet") == set_id:
        return
    version_set = require(call.cloud, VERSION_SET, set_id)
    record.data["modelVersionSetName"] = version_set.data["name"]
    version_set.private["newest"] = version_set.private.get("newest", 0) + 1
    record.data["versionId"] = version_set.private["newest"]
    record.private["versionSet"] = set_id


@SERVICE.operation("delete_model")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    delete_model(call, record)
    return Response(204)


def delete_model(call: Call, record: Record) -> None:
    """:raises Conflict: a model deployment serves it, or it is in a model group."""
    for deployment in deployments_of(call.cloud, record):
        raise Conflict(f"model {record.id} is in use by model deployment {deployment.id}")
    for group in groups_of(call.cloud, record):
        raise Conflict(f"model {record.id} is in use by model group {group.id}")
    delete_artifacts(call.cloud, record)
    bury(call.cloud, KIND, record)


@SERVICE.operation("activate_model")
def _activate(call: Call) -> Response:
    return _switch(call, "INACTIVE", "ACTIVE")


@SERVICE.operation("deactivate_model")
def _deactivate(call: Call) -> Response:
    return _switch(call, "ACTIVE", "INACTIVE")


def _switch(call: Call, before: str, after: str) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, before, to="activate" if after == "ACTIVE" else "deactivate")
    record.data["lifecycleState"] = after
    record.etag = call.cloud.ids.token(16)
    return show(record)


@SERVICE.operation("create_model_provenance")
def _create_provenance(call: Call) -> Response:
    record = get_live(call, KIND)
    if "provenance" in record.private:
        raise AlreadyExists(f"model {record.id} has its provenance already")
    return _keep_provenance(call, record, call.body())


@SERVICE.operation("update_model_provenance")
def _update_provenance(call: Call) -> Response:
    record = get_live(call, KIND)
    before = _provenance(record)
    wanted = call.header("if-match")
    if wanted and wanted not in ("*", record.private["provenance etag"]):
        raise NoEtagMatch(f"if-match '{wanted}' is not the current etag of the provenance")
    return _keep_provenance(call, record, before | call.body())


@SERVICE.operation("get_model_provenance")
def _get_provenance(call: Call) -> Response:
    record = get_live(call, KIND)
    return Response.of_json(_provenance(record), etag=record.private["provenance etag"])


def _keep_provenance(call: Call, record: Record, body: dict[str, Any]) -> Response:
    record.private["provenance"] = body
    record.private["provenance etag"] = call.cloud.ids.token(16)
    return Response.of_json(body, etag=record.private["provenance etag"])


def _provenance(record: Record) -> dict[str, Any]:
    found: dict[str, Any] | None = record.private.get("provenance")
    if found is None:
        raise NotAuthorizedOrNotFound(f"model {record.id} has no provenance")
    return found


@SERVICE.operation("create_model_artifact")
def _create_artifact(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    references = referenced(call.request.content)
    reads = read_objects(call.cloud, service(), call.region, references or ())
    acts.require(call.cloud, call.region, reads)
    response = artifacts.upload(call, record)
    record.data["isModelByReference"] = references is not None
    return response


@SERVICE.operation("head_model_artifact")
def _head_artifact(call: Call) -> Response:
    return artifacts.head(readable(get_live(call, KIND)))


@SERVICE.operation("get_model_artifact_content")
def _get_artifact(call: Call) -> Response:
    return artifacts.content(call, readable(get_live(call, KIND)))


def referenced(body: Body) -> list[dict[str, Any]] | None:
    """The places in Object Storage that a model by reference names; None for any other artifact.

    :raises InvalidParameter: it says that it is a reference, but is not well-formed.
    """
    if body.size > _MOST_REFERENCE or not (text := bytes(body)).lstrip().startswith(b"{"):
        return None
    try:
        described = json.loads(text)
    except ValueError:
        return None
    if described.get("type") != REFERENCE_TYPE:
        return None
    places = described.get("models")
    if not isinstance(places, list) or not places:
        raise InvalidParameter("the artifact of a model by reference names no models")
    for number, place in enumerate(places):
        for name in ("namespace", "bucketName", "objects"):
            if not isinstance(place, dict) or name not in place:
                raise InvalidParameter(f"the artifact's models[{number}] has no {name}")
    return places


crud(
    SERVICE,
    KIND,
    on_create=_settle,
    on_update=_settle,
    only=("create", "get", "list", "update", "move"),
)
