"""How resources move through their lifecycle states, all of them on the clock."""

from __future__ import annotations

from .cloud import Cloud, event
from .finding import get_live
from .kinds import Kind
from .service import Call
from .store import Record
from .wire.errors import IncorrectState, NoEtagMatch

_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let the events of :func:`arrive`, :func:`pass_update` and :func:`depart` know *kind*."""
    _KINDS[kind.name] = kind


def arrive(cloud: Cloud, kind: Kind, record: Record) -> None:
    """Let *record*, which is being created, become active in its kind's time."""
    cloud.clock.schedule(kind.create_seconds, "resource.active", f"{kind.name}/{record.id}")


def get_settled(call: Call, kind: Kind) -> Record:
    """The live record that the path names, for a change to it.

    :raises NoEtagMatch: see :func:`check_etag`.
    :raises IncorrectState: it is being created, changed or deleted at this moment.
    """
    record = get_live(call, kind)
    check_etag(call, record)
    state = record.data.get("lifecycleState")
    if kind.lifecycle.is_passing(state):
        raise IncorrectState(f"{kind.noun} {record.id} is {state}; wait until it is not")
    return record


def pass_update(cloud: Cloud, kind: Kind, record: Record) -> None:
    """Let *record* be UPDATING for as long as its kind is; then it is what it was before."""
    if kind.update_seconds is None:
        return
    record.private["state before update"] = record.data["lifecycleState"]
    record.data["lifecycleState"] = kind.lifecycle.updating
    cloud.clock.schedule(kind.update_seconds, "resource.updated", f"{kind.name}/{record.id}")


def depart(cloud: Cloud, kind: Kind, record: Record) -> None:
    """Let *record* be DELETING for as long as its kind is; then it is a tombstone."""
    if kind.delete_seconds is None:
        bury(cloud, kind, record)
        return
    record.data["lifecycleState"] = kind.lifecycle.deleting
    record.etag = cloud.ids.token(16)
    cloud.clock.schedule(kind.delete_seconds, "resource.gone", f"{kind.name}/{record.id}")


def bury(cloud: Cloud, kind: Kind, record: Record) -> None:
    """Make *record* a tombstone in the kind's last state."""
    bury_as(cloud, record, kind.lifecycle.deleted)


def bury_as(cloud: Cloud, record: Record, state: str) -> None:
    """Make *record* a tombstone in lifecycle state *state*."""
    record.deleted = True
    if "lifecycleState" in record.data:
        record.data["lifecycleState"] = state
    record.etag = cloud.ids.token(16)


def check_etag(call: Call, record: Record) -> None:
    """:raises NoEtagMatch: the client holds an older version (``if-match``)."""
    wanted = call.header("if-match")
    if wanted and wanted not in ("*", record.etag):
        raise NoEtagMatch(f"if-match '{wanted}' is not the current etag '{record.etag}'")


@event("resource.active")
def _become_active(cloud: Cloud, subject: str) -> None:
    if found := _in_state(cloud, subject, "creating"):
        kind, record = found
        record.data["lifecycleState"] = kind.lifecycle.active


@event("resource.updated")
def _become_updated(cloud: Cloud, subject: str) -> None:
    if found := _in_state(cloud, subject, "updating"):
        kind, record = found
        before = record.private.pop("state before update", kind.lifecycle.active)
        record.data["lifecycleState"] = before


@event("resource.gone")
def _become_gone(cloud: Cloud, subject: str) -> None:
    if found := _in_state(cloud, subject, "deleting"):
        bury(cloud, *found)


def _in_state(cloud: Cloud, subject: str, state: str) -> tuple[Kind, Record] | None:
    """The resource that an event is for, if it still stands in that state of its lifecycle."""
    name, identifier = subject.split("/", 1)
    kind, record = _KINDS[name], cloud.store.find(name, identifier)
    if record is None or record.deleted:
        return None
    if record.data.get("lifecycleState") != getattr(kind.lifecycle, state):
        return None
    return kind, record
