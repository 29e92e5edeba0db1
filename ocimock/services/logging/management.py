"""Log groups and logs. Whatever changes one answers 202 and a work request."""

from __future__ import annotations

import re
from typing import Any

from ...cloud import Cloud
from ...resources import (
    Kind,
    add,
    change,
    crud,
    depart,
    get_live,
    get_settled,
    list_,
    pass_update,
    refuse_duplicate,
    refuse_in_use,
    require,
    require_compartment,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, MissingParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from ...work_requests import Touched, accept
from .base import SERVICE
from .records import LOG, LOG_GROUP

# How long a log or log group takes to come, to change and to go at real pace.
_SECONDS = 0.4

GROUP = Kind(
    name=LOG_GROUP,
    model="LogGroup",
    path_id="logGroupId",
    noun="log_group",
    plural="log_groups",
    create_seconds=_SECONDS,
    update_seconds=_SECONDS,
    delete_seconds=_SECONDS,
    unique=("compartmentId", "displayName"),
    children=((LOG, "logGroupId"),),
)
LOG_KIND = Kind(
    name=LOG,
    model="Log",
    path_id="logId",
    noun="log",
    plural="logs",
    create_seconds=_SECONDS,
    update_seconds=_SECONDS,
    delete_seconds=_SECONDS,
    unique=("logGroupId", "displayName"),
    defaults=(("isEnabled", True), ("retentionDuration", 30)),
)

# Days. Source: OCI's API reference, CreateLogDetails.retentionDuration.
_RETENTIONS = range(30, 181, 30)
_NAME = re.compile(r"\S{1,256}")


def create_custom_log(cloud: Cloud, log_group_id: str, display_name: str, region: str) -> str:
    """A new custom log in a group, as other services make them of their own accord; its OCID.

    :raises NotAuthorizedOrNotFound: there is no such group.
    """
    group = require(cloud, LOG_GROUP, log_group_id)
    now = cloud.clock.timestamp()
    data: dict[str, Any] = {
        "id": cloud.ids.new(LOG, region),
        "displayName": display_name,
        "logType": "CUSTOM",
        "lifecycleState": LOG_KIND.lifecycle.active,
        "timeCreated": now,
        "freeformTags": {},
        "definedTags": {},
        "systemTags": {},
        **dict(LOG_KIND.defaults),
        **_of_group(cloud, group, now),
    }
    refuse_duplicate(cloud, LOG_KIND, data)
    return cloud.store.add(LOG, data["id"], data, etag=cloud.ids.token(16)).id


@SERVICE.operation("create_log_group")
def _create_group(call: Call) -> Response:
    body = call.body()
    _check_name(body)
    record = add(call, GROUP, body, timeLastModified=call.cloud.clock.timestamp())
    return _accepted(call, "CREATE_LOG_GROUP", "CREATED", record)


@SERVICE.operation("get_log_group")
def _get_group(call: Call) -> Response:
    # Terraform's provider asks until 404: no tombstones here.
    return show(get_live(call, GROUP))


@SERVICE.operation("update_log_group")
def _update_group(call: Call) -> Response:
    record = get_settled(call, GROUP)
    _rename(call, GROUP, record, call.body())
    return _accepted(call, "UPDATE_LOG_GROUP", "UPDATED", record)


@SERVICE.operation("delete_log_group")
def _delete_group(call: Call) -> Response:
    record = get_settled(call, GROUP)
    refuse_in_use(call.cloud, GROUP, record)
    depart(call.cloud, GROUP, record)
    return _accepted(call, "DELETE_LOG_GROUP", "DELETED", record)


@SERVICE.operation("change_log_group_compartment")
def _move_group(call: Call) -> Response:
    record = get_settled(call, GROUP)
    compartment = call.body().get("compartmentId")
    require_compartment(call.cloud, compartment)
    record.data["compartmentId"] = compartment
    for log in call.cloud.store.live_to_change(LOG):
        if log.data["logGroupId"] == record.id:
            log.data["compartmentId"] = compartment
    return _accepted(call, "MOVE_LOG_GROUP", "UPDATED", record)


@SERVICE.operation("create_log")
def _create_log(call: Call) -> Response:
    group = get_live(call, GROUP)
    body = call.body()
    _check_name(body)
    _check_retention(body)
    if body["logType"] == "SERVICE" and "configuration" not in body:
        raise MissingParameter("configuration must be given for a log of type SERVICE")
    record = add(call, LOG_KIND, body, **_of_group(call.cloud, group, call.cloud.clock.timestamp()))
    return _accepted(call, "CREATE_LOG", "CREATED", record)


@SERVICE.operation("get_log")
def _get_log(call: Call) -> Response:
    return show(_log(call))


@SERVICE.operation("list_logs")
def _list_logs(call: Call) -> Response:
    group = get_live(call, GROUP)
    within = [log for log in call.cloud.store.live(LOG) if log.data["logGroupId"] == group.id]
    names = {name: name for name in ("sourceService", "sourceResource")}
    return list_(call, LOG_KIND, within=within, view=_with_source, names=names)


def _with_source(log: Record) -> dict[str, Any]:
    """A log with what its service's events come from, as lists are filtered by it."""
    source = log.data.get("configuration", {}).get("source", {})
    from_ = {"sourceService": source.get("service"), "sourceResource": source.get("resource")}
    return {**log.data, **from_}


@SERVICE.operation("update_log")
def _update_log(call: Call) -> Response:
    record = _settled_log(call)
    body = call.body()
    _check_retention(body)
    if "configuration" in body:
        body["configuration"] = _configured(record, body["configuration"])
    _rename(call, LOG_KIND, record, body)
    return _accepted(call, "UPDATE_LOG", "UPDATED", record)


@SERVICE.operation("delete_log")
def _delete_log(call: Call) -> Response:
    record = _settled_log(call)
    record.private.pop("lines", None)
    depart(call.cloud, LOG_KIND, record)
    return _accepted(call, "DELETE_LOG", "DELETED", record)


@SERVICE.operation("change_log_log_group")
def _move_log(call: Call) -> Response:
    record = _settled_log(call)
    target = require(call.cloud, LOG_GROUP, call.body().get("targetLogGroupId", ""))
    moved = {**record.data, "logGroupId": target.id}
    refuse_duplicate(call.cloud, LOG_KIND, moved)
    record.data |= _of_group(call.cloud, target, call.cloud.clock.timestamp())
    return _accepted(call, "MOVE_LOG", "UPDATED", record)


def _log(call: Call) -> Record:
    """The live log that the path names, in the group that it names."""
    log = get_live(call, LOG_KIND)
    if log.data["logGroupId"] != call.path["logGroupId"]:
        raise NotAuthorizedOrNotFound(f"log {log.id} is not in {call.path['logGroupId']}")
    return log


def _settled_log(call: Call) -> Record:
    """The same, for a change to it."""
    _log(call)
    return get_settled(call, LOG_KIND)


def _of_group(cloud: Cloud, group: Record, now: str) -> dict[str, Any]:
    return {
        "logGroupId": group.id,
        "compartmentId": group.data["compartmentId"],
        "tenancyId": cloud.settings.tenancy_id,
        "timeLastModified": now,
    }


def _rename(call: Call, kind: Kind, record: Record, body: dict[str, Any]) -> None:
    """Change *record* unless another one has its new name."""
    if body.get("displayName", record.data["displayName"]) != record.data["displayName"]:
        _check_name(body)
        refuse_duplicate(call.cloud, kind, {**record.data, **body})
    change(call, kind, record, body)
    pass_update(call.cloud, kind, record)
    record.data["timeLastModified"] = call.cloud.clock.timestamp()


def _configured(record: Record, change: dict[str, Any]) -> dict[str, Any]:
    """A log's configuration after *change*: of the source, only its parameters can change."""
    before: dict[str, Any] = record.data.get("configuration", {})
    return before | change | {"source": before.get("source", {}) | change["source"]}


def _check_name(body: dict[str, Any]) -> None:
    if not _NAME.fullmatch(body["displayName"]):
        raise InvalidParameter(
            f"displayName: '{body['displayName']}' must be 1 to 256 characters without spaces"
        )


def _check_retention(body: dict[str, Any]) -> None:
    days = body.get("retentionDuration")
    if days is not None and days not in _RETENTIONS:
        allowed = ", ".join(str(number) for number in _RETENTIONS)
        raise InvalidParameter(f"retentionDuration: {days} is not allowed; it is one of {allowed}")


def _accepted(call: Call, operation_type: str, action: str, record: Record) -> Response:
    touched = Touched(record.kind, action, record.id)
    compartment = record.data["compartmentId"]
    return accept(call, operation_type, compartment, touched, seconds=_SECONDS)


crud(SERVICE, GROUP, only=("list",))
# Registers the kind, so that a fresh log becomes active; its operations are all above.
crud(SERVICE, LOG_KIND, only=())
