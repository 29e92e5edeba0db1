"""search_logs: the lines of logs, by a query."""

from __future__ import annotations

from typing import Any

from ...resources import require, require_compartment
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from ...wire.numbers import whole
from .base import SERVICE
from .ingestion import epoch
from .query import Query, parse
from .records import LOG, LOG_GROUP, lines

# Source: OCI's API reference, SearchLogs: at most 1,000 results a page, and a window of 14 days.
_MOST_RESULTS = 1000
_USUAL_RESULTS = 500
_LONGEST_WINDOW = 14 * 24 * 3600.0


@SERVICE.operation("search_logs")
def _search(call: Call) -> Response:
    body = call.body()
    query = parse(body["searchQuery"])
    start, end = _window(call, epoch(body["timeStart"]), epoch(body["timeEnd"]))
    found = query.results(
        [
            line
            for log in _logs(call, query)
            for line in lines(log)
            if start <= line["datetime"] <= end
        ]
    )
    return _page(call, found)


def _window(call: Call, start: float, end: float) -> tuple[float, float]:
    """The searched time in milliseconds.

    A client whose window ends now by its own clock means now: the mock's clock may be ahead.
    """
    if end <= start:
        raise InvalidParameter("timeEnd must be later than timeStart")
    # Clients cut their times to milliseconds.
    if end - start > _LONGEST_WINDOW + 0.001:
        raise InvalidParameter("timeStart can't be more than 14 days before timeEnd")
    clock = call.cloud.clock
    ends_now = end + clock.ahead >= clock.now() - 1
    return start * 1000 - 1, float("inf") if ends_now else end * 1000


def _logs(call: Call, query: Query) -> list[Record]:
    """The logs that the query's streams name, each once.

    :raises NotAuthorizedOrNotFound: a stream names what is not there.
    """
    found: dict[str, Record] = {}
    for stream in query.streams:
        compartment, group, log = (*stream.split("/"), "", "")[:3]
        require_compartment(call.cloud, compartment)
        if group:
            require(call.cloud, LOG_GROUP, group)
        if log:
            require(call.cloud, LOG, log)
        chosen = [
            record
            for record in call.cloud.store.live(LOG)
            if record.data["compartmentId"] == compartment
            and group in ("", record.data["logGroupId"])
            and log in ("", record.id)
        ]
        if log and not chosen:
            raise NotAuthorizedOrNotFound(f"log {log} is not in {compartment}/{group}")
        found |= {record.id: record for record in chosen}
    return list(found.values())


def _page(call: Call, found: list[dict[str, Any]]) -> Response:
    limit = call.int_query("limit", _USUAL_RESULTS)
    if limit > _MOST_RESULTS:
        raise InvalidParameter(f"limit: {limit} is more than {_MOST_RESULTS}")
    token = call.query("page") or "0"
    start = whole(token)
    if start is None:
        raise InvalidParameter(f"page '{token}' is not a token that this search gave out")
    results = [{"data": line} for line in found[start : start + limit]]
    response = Response.of_json(
        {
            "results": results,
            "fields": [],
            "summary": {"resultCount": len(results), "fieldCount": 0},
        }
    )
    if start + limit < len(found):
        response.headers["opc-next-page"] = str(start + limit)
    return response
