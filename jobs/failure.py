"""Which lines of a log say why a run failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LINES = 20
"""How many lines a reader is shown."""

_TRACEBACK = "Traceback (most recent call last)"
# How the tracebacks end that say only that some other process ended.
_LAUNCHERS = ("ChildFailedError", "CalledProcessError")
_RULE = "=" * 20


@dataclass(frozen=True)
class _Block:
    """A traceback: where it starts, where it is over, and its lines."""

    start: int
    end: int
    lines: tuple[str, ...]

    @property
    def of_a_launcher(self) -> bool:
        return any(name in self.lines[-1] for name in _LAUNCHERS)


def decisive(lines: Sequence[str], limit: int = LINES) -> list[str]:
    """The part of a failed run's log that says why, at most *limit* lines.

    That is the last traceback, where there is one: several ranks may write theirs at once, so that
    only the lines of the same writer count. Else it is the end of the log. What torchrun adds when
    a worker ends, a traceback and a table of its own, says less than the worker did.
    """
    blocks = list(_tracebacks(lines))
    own = [block for block in blocks if not block.of_a_launcher]
    if own:
        return _shortened(list(own[-1].lines), limit)
    noise = {number for block in blocks for number in range(block.start, block.end)}
    noise |= set(_table(lines))
    kept = [line for number, line in enumerate(lines) if number not in noise]
    return kept[-limit:]


def explained(lines: Sequence[str]) -> bool:
    """Whether the log says already how the run ended: its last lines may be on their way."""
    return any(_TRACEBACK in line or "exited with code" in line for line in lines)


def _tracebacks(lines: Sequence[str]) -> Iterator[_Block]:
    for start, line in enumerate(lines):
        before, found, _ = line.partition(_TRACEBACK)
        if found:
            yield _block(lines, start, before)


def _block(lines: Sequence[str], start: int, before: str) -> _Block:
    """The lines that start with the same words as the traceback, to the exception's."""
    taken = [lines[start]]
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.startswith(before):
            continue
        taken.append(line)
        if line[len(before) :].strip() and not line[len(before) :].startswith(" "):
            return _Block(start, number + 1, tuple(taken))
    return _Block(start, len(lines), tuple(taken))


def _table(lines: Sequence[str]) -> Iterator[int]:
    """The lines between two rules of equality signs, which torchrun draws its summary in."""
    rules = [number for number, line in enumerate(lines) if _RULE in line]
    for first, last in zip(rules[::2], rules[1::2], strict=False):
        yield from range(first, last + 1)


def _shortened(lines: list[str], limit: int) -> list[str]:
    """Without the middle: a traceback says most at its ends."""
    if len(lines) <= limit:
        return lines
    return [*lines[:2], "  …", *lines[3 - limit :]]
