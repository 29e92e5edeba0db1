"""What to do about a step that failed: wait, submit it again, or stop. Decided here, done
elsewhere: nothing in this module sleeps or calls OCI.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why a step failed, as far as that decides what to do."""

    CAPACITY = "capacity"  # OCI has no such machines free: nothing has run
    INFRASTRUCTURE = "infrastructure"  # a node, the network or the service failed under the code
    USER_CODE = "user code"  # the code ended by itself: again would fail again
    STOPPED = "stopped"  # it stopped with a checkpoint, as it was told
    MAXIMUM_RUNTIME = "maximum runtime"
    CANCELED = "canceled"  # by a person
    REFUSED = "refused"  # OCI takes no such request: limits, policies, parameters


@dataclass(frozen=True)
class Failure:
    """A failure with OCI's words for it, and the lines of the log that say why."""

    cause: Cause
    reason: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One submission of a step that failed: which of its definitions (an index), when, and why."""

    definition: int
    at: datetime
    cause: Cause


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
