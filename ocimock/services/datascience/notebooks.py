"""Notebook sessions."""

from __future__ import annotations

from typing import Any

from ...acts import refusal
from ...cloud import Cloud
from ...resources import (
    Kind,
    add,
    check_etag,
    crud,
    depart,
    get_live,
    require,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import InternalError, InvalidParameter, MissingParameter
from ...wire.message import Response
from . import work_requests
from .acting import service, use_subnet
from .base import NOTEBOOK, PROJECT, SERVICE, SIMULATED, require_state, settle_in
from .demands import claim_notebook, shortage
from .private_endpoints import check_endpoint
from .shapes import check_shape

# How long a session takes to come up and to go down at real pace, in seconds.
_SECONDS = 2.0
# GB. Source: API reference of NotebookSessionConfigDetails.
_BLOCK_STORAGE = (50, 10_240)

KIND = Kind(
    name=NOTEBOOK,
    model="NotebookSession",
    path_id="notebookSessionId",
    noun="notebook_session",
    plural="notebook_sessions",
    parents=(("projectId", PROJECT),),
    create_seconds=_SECONDS,
    delete_seconds=_SECONDS,
)
# The newer name of the configuration, and the older one; a session has the one it was given.
_CONFIGURATIONS = ("notebookSessionConfigDetails", "notebookSessionConfigurationDetails")


@SERVICE.operation("create_notebook_session")
def _create(call: Call) -> Response:
    record = add(call, KIND, call.body(), _check_new)
    # The unique part of the OCID is the first label of the session's host.
    host = f"{record.id.rsplit('.', 1)[-1]}.notebook.{call.region}.oci.oraclecloud.com"
    record.data["notebookSessionUrl"] = f"https://{host}"
    return _accepted(call, record, "NOTEBOOK_SESSION_CREATE", show(record))


@SERVICE.operation("delete_notebook_session")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, "ACTIVE", "INACTIVE", "FAILED", to="delete")
    depart(call.cloud, KIND, record)
    return _accepted(call, record, "NOTEBOOK_SESSION_DELETE", Response(204))


@SERVICE.operation("activate_notebook_session")
def _activate(call: Call) -> Response:
    return _switch(call, "INACTIVE", "ACTIVE", "NOTEBOOK_SESSION_ACTIVATE")


@SERVICE.operation("deactivate_notebook_session")
def _deactivate(call: Call) -> Response:
    return _switch(call, "ACTIVE", "INACTIVE", "NOTEBOOK_SESSION_DEACTIVATE")


def _switch(call: Call, before: str, after: str, operation: str) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    require_state(record, before, to=operation.rsplit("_", 1)[-1].lower())
    if after == "ACTIVE":
        _claim(call, record)
    record.data["lifecycleState"] = "UPDATING"
    if not _obstacle(record):
        settle_in(call.cloud, _SECONDS, record, after)
    return _accepted(call, record, operation, Response(202))


def _update(call: Call, record: Record) -> None:
    if set(call.body()) - {"displayName", "freeformTags", "definedTags"}:
        require_state(record, "INACTIVE", to="change the configuration of")
    if "notebookSessionConfigurationDetails" in call.body():
        # A session that was made by the newer name shows what changed under that name.
        details = call.body()["notebookSessionConfigurationDetails"]
        if "notebookSessionConfigDetails" in record.data:
            record.data["notebookSessionConfigDetails"] |= details
    _check(call, record)


def _check_new(call: Call, record: Record) -> None:
    _check(call, record)
    _claim(call, record)


def _claim(call: Call, record: Record) -> None:
    """Count the session, and have it fail where there is no host or no way to its subnet."""
    name = next(name for name in _CONFIGURATIONS if record.data.get(name))
    subnet = record.data[name].get("subnetId")
    attach = [use_subnet(call.cloud, service(), subnet)] if subnet else []
    record.private["refused"] = refusal(call.cloud, call.region, attach)
    if claim_notebook(call, record, record.data[name]) or record.private["refused"]:
        # Before it would come up.
        settle_in(call.cloud, _SECONDS / 2, record, "FAILED")


@work_requests.at_end("NOTEBOOK_SESSION_CREATE")
@work_requests.at_end("NOTEBOOK_SESSION_ACTIVATE")
def _end_coming_up(cloud: Cloud, work: Record) -> None:
    """:raises InternalError: there was no host for the session, or no way to its subnet."""
    record = work_requests.subject(cloud, work)
    if record is None or not (reason := _obstacle(record)):
        return
    record.data["lifecycleDetails"] = f"{reason} ({SIMULATED})."
    raise InternalError(f"{reason}.")


def _obstacle(record: Record) -> str | None:
    """Why the session can't come up, if it can't."""
    refused: str | None = record.private.get("refused")
    return shortage(record) or refused


def _check(call: Call, record: Record) -> None:
    given = [name for name in _CONFIGURATIONS if record.data.get(name)]
    if not given:
        raise MissingParameter(f"{_CONFIGURATIONS[0]} must not be null")
    for name in given:
        _check_configuration(call, record.data[name], name)


def _check_configuration(call: Call, details: dict[str, Any], where: str) -> None:
    check_shape(details["shape"], "notebooks", f"{where}.shape")
    if details.get("subnetId"):
        require(call.cloud, "subnet", details["subnetId"])
    check_endpoint(call.cloud, details, "NOTEBOOK_SESSION", where)
    size = details.setdefault("blockStorageSizeInGBs", _BLOCK_STORAGE[0])
    if not _BLOCK_STORAGE[0] <= size <= _BLOCK_STORAGE[1]:
        raise InvalidParameter(
            f"{where}.blockStorageSizeInGBs: {size} is not within {_BLOCK_STORAGE[0]} "
            f"to {_BLOCK_STORAGE[1]}"
        )


def _accepted(call: Call, record: Record, operation: str, response: Response) -> Response:
    work = work_requests.start(call, operation, record, entity="notebook-session", seconds=_SECONDS)
    response.headers["opc-work-request-id"] = work
    return response


crud(SERVICE, KIND, on_update=_update, only=("get", "list", "update", "move"))
