"""Work requests: what a service answers to a call whose work goes on behind it.

Each service has its own (``/workRequests/{id}`` under its own host), all of nearly one shape. The
mock does the work at once, so a work request is finished when it is handed out.
"""

from __future__ import annotations

from dataclasses import dataclass

from .resources import page, summaries
from .service import Call, Service
from .store import Record
from .wire.errors import NotAuthorizedOrNotFound
from .wire.message import Response


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
        service.operation("list_work_request_errors", "list_work_request_logs")(_no_entries)


def _list(call: Call) -> Response:
    compartment = call.query("compartmentId")
    found = [
        record.data
        for record in call.cloud.store.live(_table(call.operation.service))
        if compartment in (None, record.data["compartmentId"])
    ]
    return page(call, summaries(call, found[::-1]), collection=not call.operation.response_list)


def _no_entries(call: Call) -> Response:
    _find(call)
    return page(call, [], collection=not call.operation.response_list)


def _find(call: Call) -> Record:
    identifier = call.path["workRequestId"]
    found = call.cloud.store.find(_table(call.operation.service), identifier)
    if found is None:
        raise NotAuthorizedOrNotFound(f"work request {identifier} not found")
    return found


def _table(service: str) -> str:
    return f"{service}workrequest"
