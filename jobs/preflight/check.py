"""The form of a check: a name, a question, and an answer with a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .subject import Subject


AGAIN = "deploy, 'python -m jobs emit', and look again"
"""What is to be done after a change of the tenancy file."""


class State(Enum):
    """*SKIPPED*: not looked at, since it could say nothing: no network was wanted, what it builds
    on failed, or nothing that is still to run needs it."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What a check found: *said* is for a reader and holds no secret; *remedy* is what to do."""

    state: State
    said: str
    remedy: str = ""


class Check(Protocol):
    """One question. Checks are made without arguments and keep nothing.

    *name* is short and stable: ``--only`` takes it. *offline*: it asks nobody. *after* are names of
    checks: where one of them failed, this one is skipped, so that one cause is told once. *steps*:
    it is skipped where none of these is still to run; empty where it always counts. One that OCI
    may refuse to answer can name a *right*, as a policy does ("read buckets in tenancy"): the
    warning tells it.
    """

    @property
    def name(self) -> str: ...

    @property
    def question(self) -> str: ...

    @property
    def offline(self) -> bool: ...

    @property
    def after(self) -> tuple[str, ...]: ...

    @property
    def steps(self) -> tuple[str, ...]: ...

    def look(self, subject: Subject) -> Finding | Iterable[Finding]:
        """The answer; of several, the worst decides and all are told.

        May raise RefusedError and UnreachableError of what it asks: the first is told as a warning
        ("could not be looked at: …"), since what a person may not see, a job run may; so is the
        second. What is wrong with the subject itself is a Finding.
        """
        ...


def passed(said: str) -> Finding:
    return Finding(State.PASS, said)


def warned(said: str, remedy: str = "") -> Finding:
    return Finding(State.WARN, said, remedy)


def failed(said: str, remedy: str) -> Finding:
    return Finding(State.FAIL, said, remedy)
