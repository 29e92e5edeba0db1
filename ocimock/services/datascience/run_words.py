"""What a run that really ran says of itself: OCI's words, and why."""

from __future__ import annotations

import re
import signal

from ...execute.specs import Cause, End, Limits
from .base import EXECUTED

PROVISIONING = f"Infrastructure provisioning ({EXECUTED})."
MOCK_ENDED = "ocimock ended while it ran"
_GB = 2**30
# What pip says of what no index has; none can be reached from a run.
_NOT_FOUND = re.compile(r"ERROR: No matching distribution found for (\S+)")


def details(text: str) -> str:
    """*text* for lifecycleDetails."""
    return f"{text} ({EXECUTED})."


def line(node: str, text: str) -> str:
    """A line of the mock's own in the log, told from the code's by its marks."""
    return f"[{node}] [{EXECUTED}] {text}"


def bootstrap_failure(reason: str) -> str:
    return f"Job run bootstrap failure: {reason}"


def execution_failure(node: str, end: End, limits: Limits, lacking: str, others: str) -> str:
    """Why a run failed: the first of its nodes that did.

    :param lacking: the package that pip did not find there, if any.
    :param others: what became of its other nodes; empty where it has none.
    """
    why = _cause(end, limits)
    if lacking:
        why += f", after pip found no '{lacking}'; install it in the environment"
    return (
        f"Job run artifact execution failed with exit code {end.exit_code}: {node} {why}"
        f"{'; ' if others else ''}{others}"
    )


def node_ended(end: End, limits: Limits) -> str:
    """For the log."""
    text = _cause(end, limits)
    code = f"exit code {end.exit_code}"
    return text if code in text else f"{text} with {code}"


def lacking_package(text: str) -> str:
    """The package that pip says it can't find in a line, if it does."""
    found = _NOT_FOUND.match(text)
    return found[1] if found else ""


def timed_out(minutes: int) -> str:
    """The issue with a limit is that it must be named: who reads it has to raise it."""
    return (
        f"Job run artifact execution failed: it exceeded the maximum runtime of {minutes} minute(s)"
    )


def _cause(end: End, limits: Limits) -> str:
    if end.cause is Cause.EXITED:
        return "ended" if end.exit_code == 0 else f"ended with exit code {end.exit_code}"
    if end.cause is Cause.SIGNALED:
        return f"was ended by {_signal(end.exit_code - 128)}"
    if end.cause is Cause.MEMORY:
        return f"used more memory than its {_size(limits.memory)}"
    if end.cause is Cause.DISK:
        return f"wrote more than its {_size(limits.disk)} of block storage"
    if end.cause is Cause.NOT_STARTED:
        return f"could not start its command: {end.message}"
    return "was killed" if end.cause is Cause.KILLED else "was stopped"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _size(number: int | None) -> str:
    return "share" if number is None else f"{number / _GB:g} GB"
