"""Which lines of a log say why a run failed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .steps import EXECUTED, SIMULATED

LINES = 20
"""How many lines a reader is shown."""

_LONGEST = 300  # characters of a line
_TRACEBACK = "Traceback (most recent call last)"
# How the tracebacks end that say only that some other process ended.
_LAUNCHER = re.compile(r"\b(ChildFailedError|CalledProcessError|SignalException)\b")
# Where the launcher's traceback begins.
_LAUNCHERS_FRAME = re.compile(r'File "[^"]*/(bin/torchrun|torch/distributed/run\.py)"')
# How NCCL, gloo, torchrun and our own recipe say it. Sources: NCCL's issues 795, 1232 and 2076;
# PyTorch's ProcessGroupNCCL.cpp; recipes.sft.parallel.
_CONSEQUENCE = re.compile(
    r"\bDist(Backend|Network|Store)Error\b|Connection (closed|reset) by (remote )?peer|Broken pipe"
    r"|\bnccl(Remote|Internal|System)Error\b|remote process exited or there was a network error"
    r"|Watchdog caught collective operation timeout|Rendezvous(Connection|Timeout|Closed)Error"
    r"|sft: rank \d+ ends: |no sign of life for |the store of rank 0 does not answer"
    r"|sft: the ranks did not meet"
)
_RULE = "=" * 20
# Lines that repeat what the state's details say, or the command; and PyTorch's own worries.
_ECHO = re.compile(
    rf"{EXECUTED}|{SIMULATED}|driver_utils.*exited with code|conda: not found"
    r"|^(\[rank\d+\]:)?\[?[WEI]\d{4} .*(torch/distributed/|\[c10d\])"
    r"|\bframe #\d+: |<omitting python frames>|Exception raised from .*most recent call first"
)
# ADS's driver starts a command: the last one is the job's own.
_START = re.compile(r"driver_utils.*>>> ")


@dataclass(frozen=True)
class _Traceback:
    """The numbers of its lines, and the exception's line."""

    numbers: tuple[int, ...]
    exception: str


def decisive(lines: Sequence[str], limit: int = LINES) -> list[str]:
    """The part of a failed run's log that says why, at most *limit* lines.

    From the last traceback on, where there is one, else the end of the command's output. Nodes
    write their lines into one log, all at once: lines that several wrote stand there once. What
    torchrun adds when a worker ends (a traceback and a table of its own) says less than the worker
    did, and is left out; so is the traceback of a rank that failed because another did, if that
    one left any.
    """
    written = [line for line, _ in itertools.groupby(lines)]
    found = list(_tracebacks(written))
    own = [each for each in found if not _is_launchers(each, written)]
    causes = [each for each in own if not is_consequence(each.exception)] or own
    noise = _noise(written, found, own)
    first = causes[-1].numbers[0] if causes else _start(written)
    if causes:
        noise |= set(range(first, causes[-1].numbers[-1])) - set(causes[-1].numbers)
    kept = [line for number, line in enumerate(written) if number >= first and number not in noise]
    return [cut(line) for line in _shortened(kept or written, limit, both_ends=bool(causes))]


def exceptions(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The exceptions that ended processes of the job's own, each with its line's number.

    Without torchrun's, and without those of ranks that failed because another did.
    """
    return [
        (each.numbers[-1], each.exception)
        for each in _tracebacks(lines)
        if not _is_launchers(each, lines) and not is_consequence(each.exception)
    ]


def is_consequence(line: str) -> bool:
    """Whether it only says that another rank, or its node, is gone."""
    return bool(_CONSEQUENCE.search(line))


def is_telling(line: str) -> bool:
    """Whether it says something to a reader: C++'s frames and repetitions do not."""
    return not _ECHO.search(line)


def cut(line: str) -> str:
    """The line as a reader is shown it."""
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def explained(lines: Sequence[str]) -> bool:
    """Whether the log says already how the run ended: its last lines may be on their way."""
    return any(_TRACEBACK in line or "exited with code" in line for line in lines)


def _is_launchers(each: _Traceback, lines: Sequence[str]) -> bool:
    """Whether it is torchrun's own; a node that is stopped with the others may leave half of it."""
    if _LAUNCHER.search(each.exception):
        return True
    return any(_LAUNCHERS_FRAME.search(lines[number]) for number in each.numbers[:3])


def _start(lines: Sequence[str]) -> int:
    """The line after the start of the last command; the first one where none says so."""
    starts = [number for number, line in enumerate(lines) if _START.search(line)]
    return starts[-1] + 1 if starts else 0


def _tracebacks(lines: Sequence[str]) -> Iterator[_Traceback]:
    for start, line in enumerate(lines):
        before, found, _ = line.partition(_TRACEBACK)
        if found:
            yield _traceback(lines, start, before)


def _traceback(lines: Sequence[str], start: int, before: str) -> _Traceback:
    """The lines that begin with the same words as the traceback, to the exception's."""
    taken = [start]
    for number in range(start + 1, len(lines)):
        rest = lines[number].removeprefix(before)
        if not lines[number].startswith(before) or rest.startswith(_TRACEBACK):
            continue
        taken.append(number)
        if rest.strip() and not rest.startswith(" "):
            break
    return _Traceback(tuple(taken), lines[taken[-1]])


def _noise(
    lines: Sequence[str], found: Sequence[_Traceback], own: Sequence[_Traceback]
) -> set[int]:
    """The numbers of the lines that tell nothing."""
    numbers = {number for each in found if each not in own for number in each.numbers}
    numbers |= {
        number for number, line in enumerate(lines) if _ECHO.search(line) or _LAUNCHER.search(line)
    }
    if len(found) > len(own):
        rules = [number for number, line in enumerate(lines) if _RULE in line]
        numbers |= set(range(rules[0], rules[-1] + 1)) if rules else set()
    return numbers - {number for each in own for number in each.numbers}


def _shortened(lines: list[str], limit: int, *, both_ends: bool) -> list[str]:
    """A traceback without its middle: it says most at its ends. Else the end of the log."""
    if len(lines) <= limit or not both_ends:
        return lines[-limit:]
    return [*lines[:2], "  …", *lines[3 - limit :]]
