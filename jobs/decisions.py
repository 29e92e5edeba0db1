"""What to do about a step, by what the ledger says of it: nothing here asks OCI or waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .attempts import FORGOTTEN, GONE, Attempted
from .record import Entry

# States that a person put a resource into, or that say that nobody has it any more.
_BY_HAND = frozenset({"CANCELED", "INACTIVE"})


class Action(Enum):
    LEAVE = auto()  # it is done
    FOLLOW = auto()  # it is under way, or has ended unseen
    SUBMIT = auto()  # by a new attempt
    RESUME = auto()  # the submission that was cut short
    JUDGE = auto()  # it failed, and nobody has said what to do then
    WAIT = auto()  # until the next attempt is due


@dataclass(frozen=True)
class Decision:
    """What to do about a step, and why; *entry* is the one that it is about."""

    action: Action
    reason: str
    entry: Entry | None = None


def decide(
    entry: Entry | None, found: Sequence[Attempted], fingerprint: str, generation: int
) -> Decision:
    """What to do about a step whose newest entry is *entry*, after the attempts *found*."""
    last = found[-1] if found else None
    if last is None or not last.of(fingerprint, generation):
        return _first(entry, last, generation)
    own = entry if entry is not None and entry.key == last.key else None
    if last.over:
        return Decision(Action.SUBMIT, _anew(last, own))
    if own is not None and own.state == "DELETED":
        return Decision(Action.SUBMIT, "OCI has the recorded one no more: submitting anew")
    if own is not None and own.done:
        return Decision(Action.LEAVE, f"done before, {own.shown_state}; left as it is", own)
    if own is not None and not own.failed:
        return Decision(Action.FOLLOW, f"{own.shown_state} already: following it", own)
    if last.waiting is not None:
        return Decision(Action.WAIT, last.waiting.reason, own)
    if not last.decided:
        return Decision(Action.JUDGE, "it failed before", own)
    if own is None:
        return Decision(Action.RESUME, "its submission was cut short: going on with it")
    if own.state in _BY_HAND:
        return Decision(Action.SUBMIT, f"the last one is {own.shown_state}: submitting anew")
    return Decision(Action.FOLLOW, f"ended {own.shown_state} meanwhile", own)


def _first(entry: Entry | None, last: Attempted | None, generation: int) -> Decision:
    """Of a step that was not attempted in this pipeline yet."""
    if entry is None:
        return Decision(Action.SUBMIT, "submitting")
    if last is not None and last.generation != generation:
        return Decision(Action.SUBMIT, "submitting anew")
    return Decision(
        Action.SUBMIT, "its definition, or what it builds on, has changed since: submitting anew"
    )


def _anew(last: Attempted, own: Entry | None) -> str:
    if last.over == GONE:
        return "OCI has the recorded one no more: submitting anew"
    if last.over == FORGOTTEN or own is None:
        return "submitting"
    return f"the last one is {own.shown_state}: submitting anew"
