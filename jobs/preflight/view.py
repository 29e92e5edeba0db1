"""How the answers look: a line each with the remedies under it, or JSON for programs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from .check import Check, Finding, State
from .looking import Answer

STYLES = {State.PASS: "green", State.WARN: "yellow", State.FAIL: "bold red", State.SKIPPED: "dim"}
_PAST = {
    State.PASS: "passed",
    State.WARN: "warned",
    State.FAIL: "failed",
    State.SKIPPED: "skipped",
}
_STATE = max(len(state.value) for state in State)
# So many names of checks that are being waited for are shown on a terminal.
_NAMED = 4


def lines(answers: Sequence[Answer]) -> Iterator[Text]:
    """Every answer in its order; what failed or warns has its remedy under it.

    To be printed unbroken: whoever copies a command or an OCID wants it in one piece.
    """
    width = max((len(answer.check.name) for answer in answers), default=0)
    for answer in answers:
        for number, finding in enumerate(worth_telling(answer)):
            name = answer.check.name if number == 0 else ""
            dim = "dim" if finding.state is State.SKIPPED else ""
            yield Text.assemble(
                (f"{finding.state.value:<{_STATE}}", STYLES[finding.state]),
                (f"  {name:<{width}}  {finding.said}", dim),
            )
            for line in finding.remedy.splitlines():
                yield Text(f"{'':<{_STATE}}  {'':<{width}}  {line}", style="cyan")


def worth_telling(answer: Answer) -> list[Finding]:
    """The findings that fail or warn, the failures first; where none does, all in one."""
    bad = [
        finding
        for state in (State.FAIL, State.WARN)
        for finding in answer.findings
        if finding.state is state
    ]
    if bad:
        return bad
    said = dict.fromkeys(finding.said.removesuffix(".") for finding in answer.findings)
    return [Finding(answer.state, "; ".join(said))]


def summary(answers: Sequence[Answer], seconds: float) -> str:
    """``23 checks in 2.1 s: 20 passed, 2 warned, 1 failed``."""
    counted = Counter(answer.state for answer in answers)
    said = ", ".join(f"{counted[state]} {word}" for state, word in _PAST.items() if counted[state])
    return f"{len(answers)} check{'s' * (len(answers) != 1)} in {seconds:.1f} s: {said}"


def for_programs(tenancy: str, answers: Sequence[Answer], seconds: float) -> dict[str, Any]:
    """The same as JSON; *state* is the worst of all."""
    return {
        "tenancy": tenancy,
        "state": worst(answers).value,
        "seconds": round(seconds, 3),
        "checks": [
            {
                "name": answer.check.name,
                "question": answer.check.question,
                "state": answer.state.value,
                "findings": [
                    {"state": each.state.value, "said": each.said, "remedy": each.remedy}
                    for each in answer.findings
                ],
            }
            for answer in answers
        ],
    }


def worst(answers: Sequence[Answer]) -> State:
    """FAIL before WARN before PASS; SKIPPED where nothing was looked at."""
    states = {answer.state for answer in answers}
    order = (State.FAIL, State.WARN, State.PASS)
    return next((state for state in order if state in states), State.SKIPPED)


@contextmanager
def progress(console: Console, checks: Sequence[Check]) -> Iterator[Callable[[Answer], None]]:
    """Meanwhile a terminal shows how many have answered, and whom it waits for; a pipe nothing.

    Gives what hears each answer.
    """
    if not console.is_terminal:
        yield lambda _answer: None
        return
    waited_for, lock = [check.name for check in checks], threading.Lock()
    with console.status(waiting(waited_for, len(checks))) as status:

        def heard(answer: Answer) -> None:
            with lock:
                waited_for.remove(answer.check.name)
                status.update(waiting(waited_for, len(checks)))

        yield heard


def waiting(names: Sequence[str], total: int) -> str:
    """How many of *total* have answered, and the first of those that have not."""
    named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"{total - len(names)} of {total} checks; waiting for {named}" if names else "done"
