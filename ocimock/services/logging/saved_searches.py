"""Log searches that are kept under a name."""

from __future__ import annotations

from ...resources import Kind, crud, list_
from ...service import Call
from ...store import Record
from ...wire.message import Response
from .base import SERVICE
from .query import parse

KIND = Kind(
    name="logsavedsearch",
    model="LogSavedSearch",
    path_id="logSavedSearchId",
    noun="log_saved_search",
    plural="log_saved_searches",
    unique=("compartmentId", "name"),
)


@SERVICE.operation("list_log_saved_searches")
def _list(call: Call) -> Response:
    return list_(call, KIND, names={"displayName": "name"})


def _check(call: Call, record: Record) -> None:
    """:raises InvalidParameter: the query can't be read."""
    parse(record.data["query"])
    record.data["timeLastModified"] = call.cloud.clock.timestamp()


crud(
    SERVICE,
    KIND,
    on_create=_check,
    on_update=_check,
    only=("create", "get", "update", "move", "delete"),
)
