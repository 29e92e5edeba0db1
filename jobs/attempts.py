"""What the ledger's events say about a step's attempts: how far each came, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .definitions import Definition
from .ledger import Event
from .policy import Attempt, Cause, Failure

# The events that are read back.
BEGUN = "attempt"
FAILED = "failed"
AGAIN = "again"
STOPPED = "stopped"
GONE = "gone"
FORGOTTEN = "forgotten"
# One that is only told: nothing was attempted.
OVER_BUDGET = "over budget"


@dataclass(frozen=True)
class Failed:
    """A failure of an attempt, when it was seen."""

    at: datetime
    failure: Failure


@dataclass(frozen=True)
class Waiting:
    """The next try is due at *until*, by the step's definition number *definition*."""

    until: datetime
    definition: int
    reason: str


@dataclass(frozen=True)
class Attempted:
    """One attempt: what it is of, how it failed, and what was decided then.

    *text* is the definition that it began with, from *file*.
    *over* is set where nothing is to go on with: it was stopped, its record was dropped, or OCI has
    it no more.
    """

    fingerprint: str
    generation: int
    number: int
    key: str
    definition: int
    file: str
    text: str = ""
    failures: tuple[Failed, ...] = ()
    waiting: Waiting | None = None
    decided: bool = True
    over: str = ""

    @property
    def last(self) -> Failed:
        return self.failures[-1]

    @property
    def keeps_its_key(self) -> bool:
        """Whether the next try is the same submission once more: OCI took none, so that what may
        have been made of it is to be gone on with."""
        return bool(self.failures) and resumable(self.last.failure)

    def of(self, fingerprint: str, generation: int) -> bool:
        return (self.fingerprint, self.generation) == (fingerprint, generation)


def definition(attempted: Attempted) -> Definition:
    """The definition that an attempt began with, whatever the files say now."""
    return Definition(Path(attempted.file).stem, Path(attempted.file), attempted.text)


def resumable(failure: Failure) -> bool:
    """Whether a failure leaves its submission to be sent once more."""
    return not failure.submitted and failure.cause is Cause.INFRASTRUCTURE


def attempts(events: Iterable[Event]) -> list[Attempted]:
    """The attempts of one step, from its events in their order."""
    found: list[Attempted] = []
    for event in events:
        if event.name == BEGUN:
            begun = _begun(event.details)
            if found and found[-1].key == begun.key:  # the same submission goes on
                found[-1] = replace(found[-1], waiting=None, over="")
            else:
                found.append(begun)
        elif found:
            found[-1] = _after(found[-1], event)
    return found


def next_number(found: Sequence[Attempted], fingerprint: str, generation: int) -> int:
    """The number of a new attempt: no key is ever used twice."""
    return 1 + max((each.number for each in found if each.of(fingerprint, generation)), default=0)


def failed_in_a_row(found: Sequence[Attempted]) -> list[Attempt]:
    """What the failure policy judges by: the failures since the step last began by itself."""
    told: list[Attempt] = []
    for attempted in reversed(found):
        if not attempted.failures or (attempted.over and told):
            break
        if not attempted.of(found[-1].fingerprint, found[-1].generation):
            break
        told += [
            each.failure.attempt(attempted.definition, each.at)
            for each in reversed(attempted.failures)
        ]
    return told[::-1]


def begun_details(attempted: Attempted) -> dict[str, Any]:
    """What the event of an attempt's begin holds."""
    return {
        "fingerprint": attempted.fingerprint,
        "generation": attempted.generation,
        "attempt": attempted.number,
        "key": attempted.key,
        "definition": attempted.definition,
        "file": attempted.file,
        "text": attempted.text,
    }


def failed_details(failure: Failure) -> dict[str, Any]:
    """What the event of a failure holds."""
    return {
        "cause": failure.cause.value,
        "reason": failure.reason,
        "lines": list(failure.lines),
        "advice": failure.advice,
        "submitted": failure.submitted,
    }


def _begun(details: Any) -> Attempted:
    return Attempted(
        fingerprint=details["fingerprint"],
        generation=details["generation"],
        number=details["attempt"],
        key=details["key"],
        definition=details["definition"],
        file=details["file"],
        text=details["text"],
    )


def _after(attempted: Attempted, event: Event) -> Attempted:
    details = event.details
    if event.name == FAILED:
        failed = Failed(event.at, _failure(details))
        return replace(attempted, failures=(*attempted.failures, failed), decided=False)
    if event.name == AGAIN:
        until = datetime.fromisoformat(details["until"])
        waiting = Waiting(until, details["definition"], details["reason"])
        return replace(attempted, waiting=waiting, decided=True)
    if event.name in {STOPPED, GONE, FORGOTTEN}:
        return replace(attempted, over=event.name, decided=True)
    return attempted


def _failure(details: Any) -> Failure:
    return Failure(
        cause=Cause(details["cause"]),
        reason=details["reason"],
        lines=tuple(details["lines"]),
        advice=details["advice"],
        submitted=details["submitted"],
    )
