"""The Monitoring Query Language, as far as one metric goes.

``gpu[1m]{rank =~ "0|1*"}.groupBy(host).percentile(0.9) > 80``

Source: OCI documentation, "Monitoring Query Language (MQL) Reference".
"""

from __future__ import annotations

import fnmatch
import functools
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...wire.errors import InvalidParameter, NotImplementedByMock

_QUERY = re.compile(
    r"\s*(?P<name>[A-Za-z][\w.\-$]*)\s*\[(?P<interval>[^\]]*)\]\s*"
    r"(?:\{(?P<dimensions>[^}]*)\})?\s*"
    r"(?:\.\s*(?P<grouping>grouping|groupBy)\((?P<by>[^)]*)\)\s*)?"
    r"\.\s*(?P<statistic>\w+)\((?P<argument>[^)]*)\)\s*"
    r"(?:(?P<sign>==|!=|>=|<=|>|<)\s*(?P<limit>-?\d+(?:\.\d+)?)\s*)?"
)
_DIMENSION = re.compile(r'\s*([\w.\-]+)\s*(=~|!=|=)\s*"([^"]*)"\s*')
_INTERVAL = re.compile(r"(\d+)([mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}

Values = Sequence[float]
_STATISTICS: dict[str, Callable[[Values], float]] = {
    "mean": statistics.fmean,
    "avg": statistics.fmean,
    "sum": sum,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "count": lambda values: float(len(values)),
}
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Dimension:
    """What a series' dimension must (``=``) or must not (``!=``) be, or be like (``=~``)."""

    name: str
    sign: str
    value: str

    def wants(self, dimensions: Mapping[str, str]) -> bool:
        found = dimensions.get(self.name)
        if found is None:
            return False
        if self.sign == "=~":
            return any(fnmatch.fnmatchcase(found, part) for part in self.value.split("|"))
        return (found == self.value) == (self.sign == "=")


@dataclass(frozen=True)
class Query:
    """A metric, which of its series, and what to make of each interval (of so many seconds).

    :param group_by: the dimensions that make one series of several; None for each on its own, and
        none at all for one of all.
    :param breaches: tells of a value whether the query's condition holds; None where it has none.
    """

    name: str
    interval: str
    seconds: int
    dimensions: tuple[Dimension, ...]
    group_by: tuple[str, ...] | None
    statistic: Callable[[Values], float]
    breaches: Callable[[float], bool] | None

    def wants(self, dimensions: Mapping[str, str]) -> bool:
        """Whether the query asks for the series with these dimensions."""
        return all(dimension.wants(dimensions) for dimension in self.dimensions)


def parse(text: str) -> Query:
    """Read a query.

    :raises InvalidParameter: not a query.
    :raises NotImplementedByMock: a part of the language that the mock lacks.
    """
    found = _QUERY.fullmatch(text)
    if found is None:
        if "[" in text and "]" in text:
            raise NotImplementedByMock(
                'ocimock reads only name[interval]{dimension="value"}.groupBy(dimension)'
                f".statistic() and a comparison with a number, not {text}"
            )
        raise InvalidParameter(f"query: '{text}' is not name[interval].statistic()")
    return Query(
        found["name"],
        found["interval"],
        seconds(found["interval"], "query"),
        _dimensions(found["dimensions"] or ""),
        _grouping(found),
        _statistic(found["statistic"], found["argument"].strip()),
        _condition(found),
    )


def seconds(interval: str, where: str) -> int:
    """An interval such as ``5m`` in seconds. :raises InvalidParameter: it is none."""
    found = _INTERVAL.fullmatch(interval)
    if found is None or not int(found[1]):
        raise InvalidParameter(f"{where}: '{interval}' is not an interval such as 1m, 1h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


def _dimensions(text: str) -> tuple[Dimension, ...]:
    found = []
    for part in filter(str.strip, text.split(",")):
        dimension = _DIMENSION.fullmatch(part)
        if dimension is None:
            raise InvalidParameter(f'query: {part.strip()} is not dimension = "value"')
        found.append(Dimension(dimension[1], dimension[2], dimension[3]))
    return tuple(found)


def _grouping(found: re.Match[str]) -> tuple[str, ...] | None:
    if found["grouping"] is None:
        return None
    names = tuple(name.strip() for name in found["by"].split(",") if name.strip())
    if (found["grouping"] == "groupBy") != bool(names):
        raise InvalidParameter("query: groupBy takes dimensions, grouping takes none")
    return names


def _statistic(name: str, argument: str) -> Callable[[Values], float]:
    if name == "percentile":
        try:
            part = float(argument)
        except ValueError:
            part = math.nan
        if not 0 <= part <= 1:
            raise InvalidParameter(f"query: percentile({argument}) is not from 0 to 1")
        return functools.partial(_percentile, part)
    statistic = _STATISTICS.get(name)
    if statistic is None:
        raise NotImplementedByMock(
            f"ocimock has no statistic {name}(); it has percentile(), "
            f"{', '.join(f'{known}()' for known in _STATISTICS)}"
        )
    if argument:
        raise InvalidParameter(f"query: {name}() takes no argument")
    return statistic


def _condition(found: re.Match[str]) -> Callable[[float], bool] | None:
    if found["sign"] is None:
        return None
    compare, limit = _SIGNS[found["sign"]], float(found["limit"])
    return lambda value: compare(value, limit)


def _percentile(part: float, values: Values) -> float:
    """Between the two nearest values, as if they lay on a line."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
