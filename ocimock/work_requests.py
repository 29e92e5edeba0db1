"""Work requests: what a service answers to a call whose work goes on behind it.

Each service has its own (``/workRequests/{id}`` under its own host), all of nearly one shape, in a
table of the service's name. Where the mock does the work at once, :func:`accept` hands out a work
request that is finished already.
"""

from __future__ import annotations

from dataclasses import dataclass

from .resources import page, summaries
from .service import Call, Service
from .store import Record
from .wire.errors import MissingParameter, NotAuthorizedOrNotFound, NotImplementedByMock
from .wire.message import Response

_FILTERS = ("compartmentId", "id", "status", "operationType")


@dataclass(frozen=True)
class Touched:
    """A resource that the work was about, as OCI names it: ``log-group``, ``CREATED``, its OCID."""

    entity_type: str
    action: str
    identifier: str


def accept(call: Call, operation_type: str, compartment_id: str, *touched: Touched) -> Response:
    """202 without a body, and with the OCID of a new, finished work request."""
    cloud = call.cloud
    now = cloud.clock.timestamp()
    service = call.operation.service
    identifier = cloud.ids.new(f"{service}workrequest", call.region)
    data = {
        "id": identifier,
        "operationType": operation_type,
        "status": "SUCCEEDED",
        "compartmentId": compartment_id,
        "resources": [
            {
                "entityType": item.entity_type,
                "actionType": item.action,
                "identifier": item.identifier,
            }
            for item in touched
        ],
        "percentComplete": 100.0,
        "timeAccepted": now,
        "timeStarted": now,
        # Terraform's provider retries for minutes while a finished one lacks this.
        "timeFinished": now,
    }
    cloud.store.add(_table(service), identifier, data, history=True)
    return Response(202, {"opc-work-request-id": identifier})


def register(service: Service, *, entries: bool = True) -> None:
    """Answer the reading operations that the service's clients have on work requests.

    *entries*: they have lists of a work request's errors and logs too.
    """
    service.operation("get_work_request")(lambda call: Response.of_json(_find(call).data))
    service.operation("list_work_requests")(_list)
    if entries:
        service.operation("list_work_request_errors")(lambda call: _entries(call, "errors"))
        service.operation("list_work_request_logs")(lambda call: _entries(call, "logs"))


def _list(call: Call) -> Response:
    """Work requests by the query's filters, newest first unless it says otherwise.

    :raises MissingParameter: compartmentId is not given.
    :raises NotImplementedByMock: by another order than that of time.
    """
    if not call.query("compartmentId"):
        raise MissingParameter("compartmentId is required to list work requests")
    if call.query("sortBy") not in (None, "timeAccepted"):
        raise NotImplementedByMock(f"ocimock does not sort work requests by {call.query('sortBy')}")
    wanted = {name: call.query(name) for name in _FILTERS}
    # Data Science calls it by the one name, Identity by the other.
    resource = call.query("resourceId") or call.query("resourceIdentifier")
    found = [
        work.data
        for work in call.cloud.store.live(_table(call.operation.service))
        if all(value in (None, work.data[name]) for name, value in wanted.items())
        and (resource is None or any(resource == r["identifier"] for r in work.data["resources"]))
    ]
    ordered = found if call.query("sortOrder") == "ASC" else found[::-1]
    return page(call, summaries(call, ordered), collection=not call.operation.response_list)


def _entries(call: Call, kept: str) -> Response:
    """What the service wrote down under *kept* while it worked, if it does."""
    found = _find(call).private.get(kept, [])
    return page(call, found, collection=not call.operation.response_list)


def _find(call: Call) -> Record:
    identifier = call.path["workRequestId"]
    found = call.cloud.store.find(_table(call.operation.service), identifier)
    if found is None:
        raise NotAuthorizedOrNotFound(f"work request {identifier} not found")
    return found


def _table(service: str) -> str:
    return f"{service}workrequest"
