"""What a log search does to its lines, stage after stage."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]
Test = Callable[[Line], bool]
# A stage makes new lines of those that came so far.
Stage = Callable[[list[Line]], list[Line]]


def field(line: Line, name: str) -> Any:
    """A field of a line, by its full path or as seen from ``logContent``; None where absent."""
    for root in (line, line.get("logContent")):
        if isinstance(root, dict) and name in root:
            return root[name]
        value: Any = root
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


@dataclass(frozen=True)
class Where:
    """Lines for which a test holds."""

    test: Test

    def __call__(self, lines: list[Line]) -> list[Line]:
        return [line for line in lines if self.test(line)]


@dataclass(frozen=True)
class Sort:
    """Lines by fields, each with whether it falls."""

    keys: tuple[tuple[str, bool], ...]

    def __call__(self, lines: list[Line]) -> list[Line]:
        ordered = list(lines)
        for name, descending in reversed(self.keys):
            ordered.sort(key=lambda line: _sortable(field(line, name)), reverse=descending)
        return ordered


@dataclass(frozen=True)
class Limit:
    """The first so many lines."""

    count: int

    def __call__(self, lines: list[Line]) -> list[Line]:
        return lines[: self.count]


@dataclass(frozen=True)
class Column:
    """A field of a line, under the name that the result shows.

    *step*: milliseconds to which a time is rounded down; 0 for none.
    """

    field: str
    name: str
    step: int = 0

    def value(self, line: Line) -> Any:
        found = field(line, self.field)
        if self.step and isinstance(found, (int, float)):
            return int(found - found % self.step)
        return found


@dataclass(frozen=True)
class Select:
    """Only these fields of each line."""

    columns: tuple[Column, ...]

    def __call__(self, lines: list[Line]) -> list[Line]:
        return [{column.name: column.value(line) for column in self.columns} for line in lines]


@dataclass(frozen=True)
class Dedup:
    """Of lines that have the same in these fields, the first."""

    fields: tuple[str, ...]

    def __call__(self, lines: list[Line]) -> list[Line]:
        seen: dict[tuple[str, ...], Line] = {}
        for line in lines:
            seen.setdefault(tuple(repr(field(line, name)) for name in self.fields), line)
        return list(seen.values())


@dataclass(frozen=True)
class Aggregate:
    """A function over a field of the lines of a group; *field* empty for ``count()``."""

    function: str
    field: str
    name: str

    def value(self, lines: Sequence[Line]) -> Any:
        found = [field(line, self.field) for line in lines] if self.field else list(lines)
        present = [value for value in found if value is not None]
        if self.function == "count":
            return len(present)
        numbers = [float(value) for value in present if isinstance(value, (int, float))]
        return FUNCTIONS[self.function](numbers) if numbers else None


FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "count": lambda values: float(len(values)),
    "sum": sum,
    "avg": statistics.fmean,
    "min": min,
    "max": max,
}


@dataclass(frozen=True)
class Summarize:
    """One line for each group of lines that have the same in some columns."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Column, ...]

    def __call__(self, lines: list[Line]) -> list[Line]:
        groups: dict[tuple[str, ...], tuple[dict[str, Any], list[Line]]] = {}
        for line in lines:
            shown = {column.name: column.value(line) for column in self.by}
            key = tuple(repr(value) for value in shown.values())
            groups.setdefault(key, (shown, []))[1].append(line)
        if not self.by and not lines:
            groups[()] = ({}, [])
        return [
            {**{part.name: part.value(found) for part in self.aggregates}, **shown}
            for shown, found in groups.values()
        ]


def _sortable(value: Any) -> tuple[int, float, str]:
    """A key that orders numbers before text and takes what is missing first."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (2, 0.0, str(value))
