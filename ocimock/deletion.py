"""Scheduled deletion, as vaults, keys and secrets know it: they wait in PENDING_DELETION."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .clock import format_time
from .cloud import Cloud, event
from .lifecycles import bury_as
from .resources import Kind, check_etag, get_live
from .service import Call
from .store import Record
from .wire.errors import Conflict, InvalidParameter

PENDING = "PENDING_DELETION"
_DAY = 24 * 3600.0
# Days. Where a client names no time, OCI takes the last possible one.
_LATEST = 30

End = Callable[[Cloud, Record], None]
_ENDS: dict[str, End] = {}


def at_end(kind: str) -> Callable[[End], End]:
    """Register what goes with a resource of *kind* when its time has come: ``end(cloud, it)``."""

    def register(end: End) -> End:
        _ENDS[kind] = end
        return end

    return register


def schedule(call: Call, kind: Kind, *, earliest: int) -> Record:
    """Put the resource of the path into PENDING_DELETION.

    What waits so no longer stands: it can be read and brought back, but not used.

    :param earliest: days that must pass at least.
    :raises InvalidParameter: timeOfDeletion is too early or too late.
    :raises Conflict: it waits already.
    """
    record = get_live(call, kind)
    check_etag(call, record)
    if record.data["lifecycleState"] == PENDING:
        raise Conflict(f"{kind.noun} {record.id} is in {PENDING} already")
    set_pending(call, record, time_of_deletion(call, earliest=earliest))
    return record


def time_of_deletion(call: Call, *, earliest: int) -> float:
    """When what the call is about is to be deleted, in seconds since the epoch.

    :raises InvalidParameter: timeOfDeletion is too early or too late.
    """
    now = call.cloud.clock.now()
    wanted = call.body().get("timeOfDeletion")
    at = now + _LATEST * _DAY if wanted is None else datetime.fromisoformat(wanted).timestamp()
    # A minute's grace for clients' clocks.
    if not now + earliest * _DAY - 60 <= at <= now + _LATEST * _DAY + 60:
        raise InvalidParameter(
            f"timeOfDeletion must be from {earliest} to {_LATEST} days from now, not {wanted}"
        )
    return at


def set_pending(call: Call, record: Record, at: float) -> None:
    """Mark *record* as to be deleted at *at* (seconds since the epoch)."""
    record.private["state before deletion"] = record.data["lifecycleState"]
    record.data["lifecycleState"] = PENDING
    record.data["timeOfDeletion"] = format_time(at)
    record.private["stood"] = not record.history
    record.history = True
    record.etag = call.cloud.ids.token(16)
    call.cloud.clock.schedule_at(at, "deletion.due", f"{record.kind}/{record.id}")


def cancel(call: Call, kind: Kind) -> Record:
    """Bring the resource of the path back.

    :raises Conflict: it does not wait to be deleted.
    """
    record = get_live(call, kind)
    check_etag(call, record)
    if record.data["lifecycleState"] != PENDING:
        raise Conflict(f"{kind.noun} {record.id} is not in {PENDING}")
    revive(call, record)
    return record


def revive(call: Call, record: Record) -> None:
    """Undo :func:`set_pending`."""
    record.data["lifecycleState"] = record.private.pop("state before deletion")
    del record.data["timeOfDeletion"]
    record.history = not record.private.pop("stood")
    record.etag = call.cloud.ids.token(16)


def end(cloud: Cloud, record: Record) -> None:
    """Delete *record* for good, with all that goes with it."""
    bury_as(cloud, record, "DELETED")
    if record.kind in _ENDS:
        _ENDS[record.kind](cloud, record)


@event("deletion.due")
def _due(cloud: Cloud, subject: str) -> None:
    kind, identifier = subject.split("/", 1)
    record = cloud.store.find(kind, identifier)
    if record is None or record.deleted or record.data["lifecycleState"] != PENDING:
        return
    # It may have been brought back and scheduled anew, for a later time.
    if datetime.fromisoformat(record.data["timeOfDeletion"]).timestamp() <= cloud.clock.now():
        end(cloud, record)


def refuse_pending(record: Record) -> None:
    """:raises Conflict: *record* waits to be deleted and can't be used."""
    if record.data["lifecycleState"] == PENDING:
        raise Conflict(f"{record.kind} {record.id} is in {PENDING}")
