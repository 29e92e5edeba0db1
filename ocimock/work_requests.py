"""Work requests: what a service answers to a call whose work goes on behind it.

Each service has its own (``/workRequests/{id}`` under its own host), all of nearly one shape, in a
table of the service's name. They are accepted, in progress, and at their end SUCCEEDED or FAILED;
what an operation does in the end is a function of its own, registered with :func:`at_end`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cloud import Cloud, event
from .resources import listed, page
from .service import Call, Service
from .store import Record
from .wire.errors import MissingParameter, NotAuthorizedOrNotFound, ServiceError
from .wire.message import Response

_FILTERS = ("compartmentId", "id", "status", "operationType")
# What the tables of work requests end in, and the resource type in their OCIDs too.
_SUFFIX = "workrequest"
# When, in parts of the whole, work that was accepted begins.
_BEGINS = 0.2

End = Callable[[Cloud, Record], None]
_ENDS: dict[str, End] = {}


@dataclass(frozen=True)
class Touched:
    """A resource that the work is about, as OCI names it: ``log-group``, ``CREATED``, its OCID."""

    entity_type: str
    action: str
    identifier: str


def at_end(operation_type: str) -> Callable[[End], End]:
    """Register what the work of *operation_type* does in the end: ``end(cloud, work_request)``.

    A ServiceError that it raises makes the work request FAILED, with that error.
    """

    def register(end: End) -> End:
        _ENDS[operation_type] = end
        return end

    return register


def start(
    call: Call,
    operation_type: str,
    compartment_id: str,
    *touched: Touched,
    seconds: float | None = 0.0,
    **private: Any,
) -> str:
    """Accept work that takes *seconds* at real pace; the new work request's OCID.

    None stands for work that takes as long as it takes, until :func:`finish`. *private* is for
    the function that ends the work.
    """
    cloud = call.cloud
    table = _table(call.operation.service)
    identifier = cloud.ids.new(table, call.region)
    data = {
        "id": identifier,
        "operationType": operation_type,
        "status": "ACCEPTED",
        "compartmentId": compartment_id,
        "percentComplete": 0.0,
        "resources": [
            {
                "entityType": item.entity_type,
                "actionType": "IN_PROGRESS",
                "identifier": item.identifier,
            }
            for item in touched
        ],
        "timeAccepted": cloud.clock.timestamp(),
    }
    actions = [item.action for item in touched]
    kept = {"actions": actions, "logs": [], "errors": [], **private}
    work = cloud.store.add(table, identifier, data, private=kept, history=True)
    about = " and ".join(item.identifier for item in touched)
    log(cloud, work, f"{operation_type} of {about} accepted.")
    cloud.clock.schedule((seconds or 0.0) * _BEGINS, "work.begin", f"{table}/{identifier}")
    if seconds is not None:
        cloud.clock.schedule(seconds, "work.end", f"{table}/{identifier}")
    return identifier


def accept(
    call: Call,
    operation_type: str,
    compartment_id: str,
    *touched: Touched,
    seconds: float = 0.0,
) -> Response:
    """202 without a body, and with the OCID of a new work request. See :func:`start`."""
    identifier = start(call, operation_type, compartment_id, *touched, seconds=seconds)
    return Response(202, {"opc-work-request-id": identifier})


def log(cloud: Cloud, work: Record, message: str) -> None:
    """A line in the work request's log."""
    line = {"message": message, "timestamp": cloud.clock.timestamp()}
    work.private["logs"].append(line)


def is_open(work: Record) -> bool:
    """Whether the work goes on."""
    return work.data["status"] in ("ACCEPTED", "IN_PROGRESS")


def finish(cloud: Cloud, work: Record) -> None:
    """End work that had no time of its own to end at."""
    subject = f"{work.kind}/{work.id}"
    _begin(cloud, subject)
    _end(cloud, subject)


def register(
    service: Service, *, noun: str = "work_request", entries: bool = True, about: str = ""
) -> None:
    """Answer the reading operations that the service's clients have on work requests.

    :param noun: what they are called there (``tagging_work_request``).
    :param entries: they have lists of a work request's errors and logs too.
    :param about: a word that the types of the operations listed have in them.
    """
    service.operation(f"get_{noun}")(lambda call: Response.of_json(_find(call).data))
    service.operation(f"list_{noun}s")(lambda call: _list(call, about))
    if entries:
        service.operation(f"list_{noun}_errors")(lambda call: _entries(call, "errors"))
        service.operation(f"list_{noun}_logs")(lambda call: _entries(call, "logs"))


@event("work.begin")
def _begin(cloud: Cloud, subject: str) -> None:
    work = cloud.store.find(*subject.split("/", 1))
    if work is None or work.data["status"] != "ACCEPTED":
        return
    now = cloud.clock.timestamp()
    work.data.update({"status": "IN_PROGRESS", "percentComplete": 20.0, "timeStarted": now})
    log(cloud, work, f"{work.data['operationType']} in progress.")


@event("work.end")
def _end(cloud: Cloud, subject: str) -> None:
    work = cloud.store.find(*subject.split("/", 1))
    if work is None or work.data["status"] != "IN_PROGRESS":
        return
    now = cloud.clock.timestamp()
    # Terraform's provider retries for minutes while a finished one has no timeFinished.
    work.data.update({"percentComplete": 100.0, "timeFinished": now})
    operation = work.data["operationType"]
    try:
        if operation in _ENDS:
            _ENDS[operation](cloud, work)
    except ServiceError as fault:
        work.data["status"] = "FAILED"
        error = {"code": fault.code, "message": fault.message, "timestamp": now}
        work.private["errors"].append(error)
        log(cloud, work, f"{operation} failed: {fault.message}")
        return
    work.data["status"] = "SUCCEEDED"
    for resource, action in zip(work.data["resources"], work.private["actions"], strict=True):
        resource["actionType"] = action
    log(cloud, work, f"{operation} succeeded.")


def _list(call: Call, about: str) -> Response:
    """Work requests by the query's filters, newest first unless it says otherwise.

    :raises MissingParameter: compartmentId is not given.
    """
    if not call.query("compartmentId"):
        raise MissingParameter("compartmentId is required to list work requests")
    wanted = {name: call.query(name) for name in _FILTERS}
    # Data Science calls it by the one name, Identity by the other.
    resource = call.query("resourceId") or call.query("resourceIdentifier")
    found = [
        work
        for work in call.cloud.store.live(_table(call.operation.service))
        if about in work.data["operationType"]
        and all(value in (None, work.data[name]) for name, value in wanted.items())
        and (resource is None or any(resource == r["identifier"] for r in work.data["resources"]))
    ]
    return listed(call, found, usual="timeAccepted")


def _entries(call: Call, kept: str) -> Response:
    """What the service wrote down under *kept* while it worked."""
    found = _find(call).private[kept]
    ordered = found[::-1] if call.query("sortOrder") == "DESC" else found
    return page(call, ordered, collection=not call.operation.response_list)


def _find(call: Call) -> Record:
    # The one parameter of the path, under whichever name.
    (identifier,) = call.path.values()
    found = call.cloud.store.find(_table(call.operation.service), identifier)
    if found is None and call.request.is_loopback:
        # Several services answer at this path; over plain HTTP only the OCID says whose it is.
        table = (*identifier.split("."), "")[1]
        found = call.cloud.store.find(table, identifier) if table.endswith(_SUFFIX) else None
    if found is None:
        raise NotAuthorizedOrNotFound(f"work request {identifier} not found")
    return found


def _table(service: str) -> str:
    return f"{service}{_SUFFIX}"
