"""Data Science's work requests, each about one resource."""

from __future__ import annotations

from typing import Any

from ... import work_requests
from ...cloud import Cloud
from ...service import Call
from ...store import Record
from ...work_requests import Touched
from ...work_requests import at_end as at_end
from ...work_requests import finish as finish
from ...work_requests import is_open as is_open
from ...work_requests import log as log
from .base import SERVICE

# What happened to the resource, by the last word of the operation's type.
_ACTIONS = {"CREATE": "CREATED", "DELETE": "DELETED"}


def start(
    call: Call,
    operation_type: str,
    record: Record,
    *,
    entity: str,
    seconds: float | None,
    **private: Any,
) -> str:
    """Accept work on *record* that takes *seconds*, see there; the work request's OCID."""
    action = _ACTIONS.get(operation_type.rsplit("_", 1)[-1], "UPDATED")
    return work_requests.start(
        call,
        operation_type,
        record.data["compartmentId"],
        Touched(entity, action, record.id),
        seconds=seconds,
        kind=record.kind,
        subject=record.id,
        **private,
    )


def find(cloud: Cloud, identifier: str) -> Record | None:
    """The work request of that OCID."""
    return cloud.store.find(f"{SERVICE.name}workrequest", identifier)


def subject(cloud: Cloud, work: Record) -> Record | None:
    """The resource that *work* is about, if it still stands."""
    found = cloud.store.find(work.private["kind"], work.private["subject"])
    return None if found is None or found.deleted else found


work_requests.register(SERVICE)
