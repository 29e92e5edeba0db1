"""What to do about a step that failed: wait, submit it again, or stop. Decided here, done
elsewhere: nothing in this module sleeps or calls OCI.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .pipeline import Step

FIRST_WAIT = 60.0
"""Seconds before the first try of a second round for capacity; each further wait is twice as long.
"""
LONGEST_WAIT = 900.0
"""Seconds; no wait is longer."""
SERVICE_MINUTES = 15.0
"""How long a service that takes no submission at all (429, 5xx) is asked again, on top of what the
SDK tries by itself for each call."""
_SERVICE_FIRST_WAIT = 15.0
_JITTER = 0.25


class Cause(StrEnum):
    """Why a step failed, as far as that decides what to do."""

    CAPACITY = "capacity"  # OCI has no such machines free: nothing has run
    INFRASTRUCTURE = "infrastructure"  # a node, the network or the service failed under the code
    USER_CODE = "user code"  # the code ended by itself: again would fail again
    STOPPED = "stopped"  # a signal from outside stopped it, and it saved a checkpoint
    MAXIMUM_RUNTIME = "maximum runtime"
    CANCELED = "canceled"  # by a person, who may have deleted it as well
    REFUSED = "refused"  # OCI takes no such request: limits, policies, parameters


LOST = frozenset({Cause.INFRASTRUCTURE, Cause.STOPPED})
"""What another submission may well get past."""


@dataclass(frozen=True)
class Failure:
    """A failure with OCI's words for it, and the lines of the log that say why.

    *advice* is what a person can do about it. *submitted* is False where OCI took no submission at
    all, so that nothing was made and nothing is to be paid.
    """

    cause: Cause
    reason: str
    lines: tuple[str, ...] = ()
    advice: str = ""
    submitted: bool = True

    def attempt(self, definition: int, at: datetime) -> Attempt:
        """This failure as an attempt by the step's definition number *definition*."""
        return Attempt(definition, at, self.cause, self.submitted)


@dataclass(frozen=True)
class Attempt:
    """One submission of a step that failed: which of its definitions (an index), when it failed,
    why, and whether OCI had taken it (see :class:`Failure`)."""

    definition: int
    at: datetime
    cause: Cause
    submitted: bool = True


@dataclass(frozen=True)
class Again:
    """Submit the step again, after *seconds*, by its definition number *definition*."""

    seconds: float
    definition: int
    reason: str


@dataclass(frozen=True)
class Stop:
    """Stop here; *reason* says why it is not tried again, *advice* what a person can do."""

    reason: str
    advice: str = ""


Move = Again | Stop


def next_move(
    step: Step,
    failure: Failure,
    attempts: Sequence[Attempt],
    now: datetime,
    seed: str = "",
    usable: Collection[int] | None = None,
) -> Move:
    """What to do now that *step* has failed.

    *attempts* are all failed ones of the step in this pipeline, the oldest first; the last is
    *failure*'s own. *seed*, the step's key, spreads the waits of pipelines that were turned away
    together; the same seed always gives the same waits. *usable* are the definitions that are
    within the budget, all of them where it is None.
    """
    if failure.cause is Cause.CAPACITY:
        everything = range(len(step.definitions))
        chosen = sorted(everything if usable is None else usable)
        return _other_machines(step, failure, attempts, now, seed, chosen)
    if failure.cause in LOST and not failure.submitted:
        return _ask_again(failure, attempts, now, seed)
    if failure.cause in LOST:
        return _resubmit(step, failure, attempts, seed)
    return Stop(_WHY_NOT[failure.cause], failure.advice or _ADVICE[failure.cause])


def _other_machines(
    step: Step,
    failure: Failure,
    attempts: Sequence[Attempt],
    now: datetime,
    seed: str,
    usable: Sequence[int],
) -> Move:
    """The next of the definitions at once; after all of them a wait, then the first again.

    The time counts from the first attempt that found no capacity since anything last ran.
    """
    if not usable:  # whoever submits it says what the budget lacks
        return Again(0.0, 0, "no capacity, and nothing else is within the spending limit")
    waiting = _last_in_a_row(attempts, Cause.CAPACITY)
    rounds, tried = _rounds(waiting, usable)
    if tried:
        other = min(set(usable) - tried)
        return Again(0.0, other, f"no capacity: trying {step.definitions[other]} now")
    deadline = waiting[0].at + timedelta(minutes=step.capacity_minutes)
    if now >= deadline:
        return Stop(
            f"there was no capacity for {_minutes(now - waiting[0].at)}, and the tenancy file "
            f"allows {step.capacity_minutes:g} minutes of waiting",
            failure.advice or _ADVICE[Cause.CAPACITY],
        )
    seconds = min(_wait(rounds - 1, seed), (deadline - now).total_seconds())
    return Again(
        seconds,
        usable[0],
        f"no capacity: trying again in {_time(seconds)}, until {deadline:%Y-%m-%d %H:%M} UTC",
    )


def _resubmit(step: Step, failure: Failure, attempts: Sequence[Attempt], seed: str) -> Move:
    """The same definition again: the checkpoints' folder is in it. At once the first time."""
    lost = [each for each in attempts if each.cause in LOST and each.submitted]
    if len(lost) > step.retries:
        return Stop(
            f"it was lost {len(lost)} times, and the tenancy file allows {step.retries} retries",
            failure.advice or _ADVICE[failure.cause],
        )
    seconds = _wait(len(lost) - 2, seed) if len(lost) > 1 else 0.0
    when = f"in {_time(seconds)}" if seconds else "now"
    return Again(
        seconds,
        attempts[-1].definition,
        f"submitting again {when} (retry {len(lost)} of {step.retries}){_start(step)}",
    )


def _start(step: Step) -> str:
    """Where another run begins."""
    if step.checkpoints:
        return f", from the last checkpoint in {step.checkpoints}"
    return ", from its start: it keeps no checkpoints" if step.kind == "job" else ""


def _ask_again(failure: Failure, attempts: Sequence[Attempt], now: datetime, seed: str) -> Move:
    """The same submission again, for a while: nothing was made, so it counts as no retry."""
    since = list(
        itertools.takewhile(
            lambda each: each.cause in LOST and not each.submitted, reversed(attempts)
        )
    )
    deadline = since[-1].at + timedelta(minutes=SERVICE_MINUTES)
    if now >= deadline:
        return Stop(
            f"OCI has taken no submission for {_minutes(now - since[-1].at)}",
            failure.advice or _ADVICE[Cause.INFRASTRUCTURE],
        )
    seconds = _wait(len(since) - 1, seed, _SERVICE_FIRST_WAIT)
    seconds = min(seconds, (deadline - now).total_seconds())
    return Again(
        seconds,
        attempts[-1].definition,
        f"OCI took no submission: asking again in {_time(seconds)}, until {deadline:%H:%M} UTC",
    )


def _rounds(waiting: Sequence[Attempt], usable: Sequence[int]) -> tuple[int, set[int]]:
    """How often all usable definitions were tried, and those that were tried since then."""
    rounds, tried = 0, set[int]()
    for each in waiting:
        tried.add(each.definition)
        if tried.issuperset(usable):
            rounds, tried = rounds + 1, set()
    return rounds, tried


def _last_in_a_row(attempts: Sequence[Attempt], cause: Cause) -> list[Attempt]:
    """The attempts of *cause* since one of another was submitted, the oldest first."""
    counted = (each for each in reversed(attempts) if each.submitted or each.cause is cause)
    return list(itertools.takewhile(lambda each: each.cause is cause, counted))[::-1]


def _wait(turn: int, seed: str, first: float = FIRST_WAIT) -> float:
    """Seconds before the turn number *turn*, from 0: twice as long each time, up to the longest."""
    spread = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
    return min(LONGEST_WAIT, first * 2.0 ** min(turn, 16) * (1 + _JITTER * spread))


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} minutes"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


_WHY_NOT = {
    Cause.USER_CODE: "its own code failed: it would fail again",
    Cause.MAXIMUM_RUNTIME: "it reached its maximum runtime",
    Cause.CANCELED: "somebody ended it",
    Cause.REFUSED: "OCI refuses it: it would be refused again",
}
_ADVICE = {
    Cause.CAPACITY: "Run 'python -m jobs run' again later, or name other fallback shapes, another "
    "availability domain or more waiting in the tenancy file.",
    Cause.INFRASTRUCTURE: "'python -m jobs run' tries again; if it stays, tell Oracle's support.",
    Cause.STOPPED: "'python -m jobs run' goes on from the checkpoint.",
    Cause.USER_CODE: "Mend what its log says, then 'python -m jobs run' goes on.",
    Cause.MAXIMUM_RUNTIME: "Raise its maximum runtime in the tenancy file, deploy, 'python -m jobs "
    "emit', then 'python -m jobs run': a training goes on from its last checkpoint.",
    Cause.CANCELED: "'python -m jobs run' goes on, from the last checkpoint if there is one.",
    Cause.REFUSED: "Mend what OCI names, then 'python -m jobs run' goes on.",
}
