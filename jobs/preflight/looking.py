"""Asks the checks side by side, each once those that it builds on have answered."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import JobsError, RefusedError
from . import patience
from .check import Check, Finding, State
from .subject import Subject

# They wait for answers of OCI, most of the time.
_AT_ONCE = 16
_NO_RIGHT = (401, 403, 404)
_OUR_FAULT = "It says nothing about the pipeline: 'jobs run' goes on. Please report it."
_TOO_LONG = "could not be looked at: what it asks did not answer within {:g} s."
_ASK_AGAIN = "Look again, or from a machine that reaches it; the jobs themselves may reach it."
_WORST = (State.FAIL, State.WARN, State.PASS, State.SKIPPED)


@dataclass(frozen=True)
class Answer:
    """What one check found. *state* is the worst of its *findings*; *held_up*: it was skipped since
    what it builds on has failed."""

    check: Check
    findings: tuple[Finding, ...]
    held_up: bool = False

    @property
    def state(self) -> State:
        states = {finding.state for finding in self.findings}
        return next(state for state in _WORST if state in states)

    @property
    def stops(self) -> bool:
        """Whether what builds on it is skipped. Not by a check that nothing needed."""
        return self.state is State.FAIL or self.held_up


def look(
    checks: Sequence[Check],
    subject: Subject,
    *,
    offline: bool = False,
    told: Callable[[Answer], None] = lambda _answer: None,
) -> list[Answer]:
    """The answers in the order of *checks*; *told* hears each as it comes, in whatever thread."""
    subject = replace(subject, offline=offline)
    names = {check.name for check in checks}
    futures: dict[str, Future[Answer]] = {}

    def ask(check: Check) -> Answer:
        before = [futures[name].result() for name in check.after if name in names]
        answer = _answer(check, subject, offline, before)
        told(answer)
        return answer

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="preflight") as pool:
        # A check waits only for those that were begun before it: so none waits for ever.
        for check in in_order(checks):
            futures[check.name] = pool.submit(ask, check)
    return [futures[check.name].result() for check in checks]


def in_order(checks: Iterable[Check]) -> list[Check]:
    """Each after those that it builds on.

    Raises ValueError where two build on each other.
    """
    left, found = list(checks), list[Check]()
    names = {check.name for check in left}
    while left:
        done = {check.name for check in found}
        ready = [check for check in left if not (set(check.after) & names) - done]
        if not ready:
            raise ValueError(f"{', '.join(check.name for check in left)} build on each other")
        found += ready
        left = [check for check in left if check not in ready]
    return found


def _answer(check: Check, subject: Subject, offline: bool, before: Iterable[Answer]) -> Answer:
    if offline and not check.offline:
        return _skipped(check, "it needs the network")
    if check.steps and not subject.steps.intersection(check.steps):
        return _skipped(check, "no step that needs it is still to run")
    if stopped := [answer.check.name for answer in before if answer.stops]:
        return _skipped(check, f"it builds on {' and '.join(stopped)}", held_up=True)
    return Answer(check, _findings(check, subject))


def _skipped(check: Check, why: str, *, held_up: bool = False) -> Answer:
    return Answer(check, (Finding(State.SKIPPED, why),), held_up)


def _findings(check: Check, subject: Subject) -> tuple[Finding, ...]:
    try:
        return patience.within(patience.SECONDS, lambda: _asked(check, subject), check.name)
    except patience.NoAnswerInTimeError:
        return (Finding(State.WARN, _TOO_LONG.format(patience.SECONDS), _ASK_AGAIN),)
    except Exception as error:  # noqa: BLE001 - a check's own fault must not stop a run
        return (Finding(State.WARN, f"the check itself failed: {_place(error)}", _OUR_FAULT),)


def _asked(check: Check, subject: Subject) -> tuple[Finding, ...]:
    """What it finds, until something may not be asked: that hides no failure found before."""
    found: list[Finding] = []
    try:
        looked = check.look(subject)
        for each in (looked,) if isinstance(looked, Finding) else looked:
            found.append(each)
    except JobsError as error:
        found.append(_not_looked_at(check, error))
    return tuple(dict.fromkeys(found))


def _not_looked_at(check: Check, error: JobsError) -> Finding:
    """What OCI refuses to tell is told with the right that it takes, where the check names one."""
    right = getattr(check, "right", "")
    if isinstance(error, RefusedError) and error.status in _NO_RIGHT and right:
        refused = error.what.splitlines()[0]
        return Finding(
            State.WARN,
            f"could not be looked at: {refused}",
            f"To look, one needs 'Allow group <yours> to {right}'.",
        )
    said = " ".join(error.what.split())
    return Finding(State.WARN, f"could not be looked at: {said}", error.advice)


def _place(error: Exception) -> str:
    """What was raised and where; not its words, which may hold anything."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"
