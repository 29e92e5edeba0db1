"""Models of the catalog: entries, provenance and artifacts."""

from __future__ import annotations

import json
from typing import Any

from ...resources import Kind, Lifecycle, bury, check_etag, crud, get_live, require, show
from ...service import Call
from ...store import Record
from ...wire.body import Body
from ...wire.errors import AlreadyExists, Conflict, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from . import artifacts
from .base import DEPLOYMENT, MODEL, PROJECT, SERVICE, VERSION_SET, require_state

KIND = Kind(
    name=MODEL,
    model="Model",
    path_id="modelId",
    noun="model",
    plural="models",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETED", "DELETED"),
    parents=(("projectId", PROJECT), ("modelVersionSetId", VERSION_SET)),
    defaults=(
        ("lifecycleDetails", ""),
        ("category", "USER"),
        ("isModelByReference", False),
        ("customMetadataList", []),
        ("definedMetadataList", []),
    ),
)
# The type that the JSON of a model by reference states.
REFERENCE_TYPE = "modelOSSReferenceDescription"
# Bytes. What is larger is an artifact itself.
_MOST_REFERENCE = 16 * 1024 * 1024


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
    """:raises Conflict: a model deployment serves it."""
    for deployment in call.cloud.store.live(DEPLOYMENT):
        if deployment.private["search"]["modelId"] == record.id:
            raise Conflict(f"model {record.id} is in use by model deployment {deployment.id}")
    artifacts.drop(call, record)
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
    return _keep_provenance(call, record, _provenance(record) | call.body())


@SERVICE.operation("get_model_provenance")
def _get_provenance(call: Call) -> Response:
    return Response.of_json(_provenance(get_live(call, KIND)))


def _keep_provenance(call: Call, record: Record, body: dict[str, Any]) -> Response:
    record.private["provenance"] = body
    return Response.of_json(body, etag=call.cloud.ids.token(16))


def _provenance(record: Record) -> dict[str, Any]:
    found: dict[str, Any] | None = record.private.get("provenance")
    if found is None:
        raise NotAuthorizedOrNotFound(f"model {record.id} has no provenance")
    return found


@SERVICE.operation("create_model_artifact")
def _create_artifact(call: Call) -> Response:
    record = get_live(call, KIND)
    references = referenced(call.request.content)
    response = artifacts.upload(call, record)
    record.data["isModelByReference"] = references is not None
    return response


@SERVICE.operation("head_model_artifact")
def _head_artifact(call: Call) -> Response:
    return artifacts.head(get_live(call, KIND))


@SERVICE.operation("get_model_artifact_content")
def _get_artifact(call: Call) -> Response:
    return artifacts.content(call, get_live(call, KIND))


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
    on_create=_join_version_set,
    on_update=_join_version_set,
    only=("create", "get", "list", "update", "move"),
)
