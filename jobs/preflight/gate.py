"""What stands before the first submission: where a check fails, nothing is submitted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from ..errors import PreflightError
from ..record import MAKES
from .check import Check, State
from .looking import Answer, look
from .subject import Subject
from .view import summary, worth_telling

VARIABLE = "TUNESTACK_NO_PREFLIGHT"
"""Set to anything but nothing or 0, it stands for ``--no-preflight``."""

_ADVICE = (
    "'python -m jobs preflight' shows all that was looked at; '--no-preflight' goes on regardless."
)


def is_wanted() -> bool:
    """Whether the environment does not say otherwise."""
    return os.environ.get(VARIABLE, "") in ("", "0")


def pass_gate(
    subject: Subject, say: Callable[[str], None], checks: Sequence[Check] | None = None
) -> None:
    """Look at what is still to be submitted; *say* hears a line for each warning, and how it went.

    Does nothing where nothing is to be submitted, so that whoever goes on with what runs already is
    not kept.

    Raises:
        PreflightError: a check fails; with each failure and its remedy.
    """
    from . import checks as found

    if not any(MAKES[step] != "answer" for step in subject.steps):
        return
    began = time.monotonic()
    answers = look(found.all_checks() if checks is None else checks, subject)
    warnings = [answer for answer in answers if answer.state is State.WARN]
    for answer in warnings:
        for finding in worth_telling(answer):
            say(f"preflight: {answer.check.name}: {finding.said}")
    if failures := [answer for answer in answers if answer.state is State.FAIL]:
        raise PreflightError(_told(failures), _ADVICE)
    helps = "; 'python -m jobs preflight' says what helps" if warnings else ""
    say(f"preflight: {summary(answers, time.monotonic() - began)}{helps}")


def _told(failures: Sequence[Answer]) -> str:
    """Every failure, each with its remedy under it."""
    number = len(failures)
    lines = [
        f"Preflight: {number} check{'s' * (number != 1)} fail{'s' * (number == 1)}; nothing was "
        "submitted."
    ]
    for answer in failures:
        for finding in answer.findings:
            if finding.state is State.FAIL:
                lines.append(f"{answer.check.name}: {finding.said}")
                lines += [f"  {line}" for line in finding.remedy.splitlines()]
    return "\n".join(lines)
