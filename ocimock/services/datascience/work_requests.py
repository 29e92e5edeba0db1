"""Data Science's work requests: accepted, in progress, and at their end what they were for.

What an operation does in the end is a function of its own, registered with :func:`at_end`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...cloud import Cloud, event
from ...service import Call
from ...store import Record
from ...wire.errors import ServiceError
from ...work_requests import register
from .base import SERVICE

WORK_REQUEST = "datascienceworkrequest"

# When, in parts of the whole, work that was accepted begins.
_BEGINS = 0.2

End = Callable[[Cloud, Record], None]
_ENDS: dict[str, End] = {}

# What happened to the resource, by the last word of the operation's type.
_ACTIONS = {"CREATE": "CREATED", "DELETE": "DELETED"}


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
    record: Record,
    *,
    entity: str,
    seconds: float,
    **private: Any,
) -> str:
    """Accept work on *record* that takes *seconds*; the work request's OCID."""
    cloud = call.cloud
    identifier = cloud.ids.new(WORK_REQUEST, call.region)
    data = {
        "id": identifier,
        "operationType": operation_type,
        "status": "ACCEPTED",
        "compartmentId": record.data["compartmentId"],
        "percentComplete": 0.0,
        "resources": [{"entityType": entity, "actionType": "IN_PROGRESS", "identifier": record.id}],
        "timeAccepted": cloud.clock.timestamp(),
    }
    kept = {"kind": record.kind, "subject": record.id, "logs": [], "errors": [], **private}
    work = cloud.store.add(WORK_REQUEST, identifier, data, private=kept, history=True)
    log(cloud, work, f"{operation_type} of {record.id} accepted.")
    cloud.clock.schedule(seconds * _BEGINS, "datascience.work.begin", identifier)
    cloud.clock.schedule(seconds, "datascience.work.end", identifier)
    return identifier


def log(cloud: Cloud, work: Record, message: str) -> None:
    """A line in the work request's log."""
    line = {"message": message, "timestamp": cloud.clock.timestamp()}
    work.private["logs"].append(line)


def subject(cloud: Cloud, work: Record) -> Record | None:
    """The resource that *work* is about, if it still stands."""
    found = cloud.store.find(work.private["kind"], work.private["subject"])
    return None if found is None or found.deleted else found


@event("datascience.work.begin")
def _begin(cloud: Cloud, identifier: str) -> None:
    work = cloud.store.find(WORK_REQUEST, identifier)
    if work is None or work.data["status"] != "ACCEPTED":
        return
    now = cloud.clock.timestamp()
    work.data.update({"status": "IN_PROGRESS", "percentComplete": 20.0, "timeStarted": now})
    log(cloud, work, f"{work.data['operationType']} in progress.")


@event("datascience.work.end")
def _end(cloud: Cloud, identifier: str) -> None:
    work = cloud.store.find(WORK_REQUEST, identifier)
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
    action = _ACTIONS.get(operation.rsplit("_", 1)[-1], "UPDATED")
    work.data["resources"][0]["actionType"] = action
    log(cloud, work, f"{operation} succeeded.")


register(SERVICE)
