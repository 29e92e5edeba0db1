"""Model groups: several models of the catalog as one. They are created, not cloned, here."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud
from ...resources import (
    Kind,
    add,
    bury,
    check_etag,
    crud,
    get_live,
    get_settled,
    listed,
    require,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import IncorrectState, InvalidParameter, NotImplementedByMock
from ...wire.message import Response
from . import artifacts, work_requests
from .base import MODEL, MODEL_GROUP, PROJECT, SERVICE, require_state

# How long it takes to create and to delete one at real pace.
_SECONDS = 1.0

KIND = Kind(
    name=MODEL_GROUP,
    model="ModelGroup",
    path_id="modelGroupId",
    noun="model_group",
    plural="model_groups",
    parents=(("projectId", PROJECT),),
    create_seconds=_SECONDS,
)


@SERVICE.operation("create_model_group")
def _create(call: Call) -> Response:
    body = call.body()
    if body["createType"] != "CREATE":
        raise NotImplementedByMock(f"ocimock makes no model groups by {body['createType']}")
    if body.get("modelGroupVersionHistoryId"):
        raise NotImplementedByMock("ocimock has no version histories of model groups")
    record = add(call, KIND, body, _check)
    return _accepted(call, record, "CREATE", show(record))


@SERVICE.operation("delete_model_group")
def _delete(call: Call) -> Response:
    record = get_settled(call, KIND)
    record.data["lifecycleState"] = KIND.lifecycle.deleting
    return _accepted(call, record, "DELETE", Response(202))


@SERVICE.operation("activate_model_group")
def _activate(call: Call) -> Response:
    return _switch(call, "INACTIVE", "ACTIVE")


@SERVICE.operation("deactivate_model_group")
def _deactivate(call: Call) -> Response:
    return _switch(call, "ACTIVE", "INACTIVE")


@SERVICE.operation("list_model_group_models")
def _list_models(call: Call) -> Response:
    """The members, as models of the catalog with the group's name for each."""
    keys = _inference_keys(get_live(call, KIND))
    wanted = {wire: call.query(wire) for wire in ("displayName", "lifecycleState", "createdBy")}
    wanted["id"] = call.query("id")
    found = [
        model
        for identifier in keys
        if (model := call.cloud.store.find(MODEL, identifier)) is not None
        and all(value in (None, model.data.get(wire)) for wire, value in wanted.items())
    ]

    def view(model: Record) -> dict[str, Any]:
        return {**model.data, "modelId": model.id, "inferenceKey": keys[model.id]}

    return listed(call, found, view=view)


@SERVICE.operation("create_model_group_artifact")
def _create_artifact(call: Call) -> Response:
    record = get_settled(call, KIND)
    return artifacts.upload(call, record)


@SERVICE.operation("head_model_group_artifact")
def _head_artifact(call: Call) -> Response:
    return artifacts.head(get_live(call, KIND))


@SERVICE.operation("get_model_group_artifact_content")
def _get_artifact(call: Call) -> Response:
    return artifacts.content(call, get_live(call, KIND))


def _inference_keys(group: Record) -> dict[str, str | None]:
    """The members' OCIDs, and under which key each is asked for."""
    entries = group.data["memberModelEntries"]["memberModelDetails"]
    return {entry["modelId"]: entry.get("inferenceKey") for entry in entries}


def _check(call: Call, record: Record) -> None:
    """:raises InvalidParameter: no member, one that is in it twice, or a key that two have.

    :raises IncorrectState: a member is not ACTIVE.
    """
    where = "memberModelEntries.memberModelDetails"
    entries = record.data["memberModelEntries"].get("memberModelDetails") or []
    if not entries:
        raise InvalidParameter(f"{where} must name at least one model")
    for name in ("modelId", "inferenceKey"):
        given = [entry[name] for entry in entries if entry.get(name)]
        if len(set(given)) < len(given):
            raise InvalidParameter(f"{where}: a {name} is there twice")
    for entry in entries:
        model = require(call.cloud, MODEL, entry["modelId"])
        if model.data["lifecycleState"] != "ACTIVE":
            raise IncorrectState(f"model {model.id} is {model.data['lifecycleState']}, not ACTIVE")
    base = record.data["modelGroupDetails"].get("baseModelId")
    if base and base not in [entry["modelId"] for entry in entries]:
        raise InvalidParameter(f"modelGroupDetails.baseModelId: {base} is not a member")


def _switch(call: Call, before: str, after: str) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, before, to="activate" if after == "ACTIVE" else "deactivate")
    record.data["lifecycleState"] = after
    record.etag = call.cloud.ids.token(16)
    return _accepted(call, record, "UPDATE", show(record))


def _accepted(call: Call, record: Record, verb: str, response: Response) -> Response:
    response.headers["opc-work-request-id"] = work_requests.start(
        call, f"MODEL_GROUP_{verb}", record, entity="model-group", seconds=_SECONDS
    )
    return response


@work_requests.at_end("MODEL_GROUP_DELETE")
def _end_delete(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        artifacts.drop(cloud, record)
        bury(cloud, KIND, record)


crud(SERVICE, KIND, only=("get", "list", "update", "move"))
