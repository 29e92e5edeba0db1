"""The simple form of the Monitoring Query Language: ``name[1m]{dimension="value"}.mean()``."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...wire.errors import InvalidParameter, NotImplementedByMock

_QUERY = re.compile(
    r"\s*(?P<name>[A-Za-z][\w.\-$]*)\s*\[(?P<interval>(?P<count>\d+)(?P<unit>[mhd]))\]\s*"
    r"(?:\{(?P<dimensions>[^}]*)\})?\s*\.\s*(?P<statistic>\w+)\(\)\s*"
)
_DIMENSION = re.compile(r'\s*([\w.\-]+)\s*=\s*"([^"]*)"\s*')
_SECONDS = {"m": 60, "h": 3600, "d": 86400}
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "avg": statistics.fmean,
    "sum": sum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
}


@dataclass(frozen=True)
class Query:
    """A metric, which of its series, and what to make of each interval (of so many seconds)."""

    name: str
    interval: str
    seconds: int
    dimensions: dict[str, str]
    statistic: Callable[[Sequence[float]], float]


def parse(text: str) -> Query:
    """Read a query.

    :raises InvalidParameter: not a query.
    :raises NotImplementedByMock: a part of the language that the mock lacks.
    """
    found = _QUERY.fullmatch(text)
    if found is None:
        if "[" in text and "]" in text:
            raise NotImplementedByMock(
                f'ocimock reads only name[interval]{{dimension="value"}}.statistic(), not {text}'
            )
        raise InvalidParameter(f"query: '{text}' is not name[interval].statistic()")
    statistic = _STATISTICS.get(found["statistic"])
    if statistic is None:
        raise NotImplementedByMock(
            f"ocimock has no statistic {found['statistic']}(); it has {', '.join(_STATISTICS)}"
        )
    dimensions = {}
    for part in filter(str.strip, (found["dimensions"] or "").split(",")):
        dimension = _DIMENSION.fullmatch(part)
        if dimension is None:
            raise NotImplementedByMock(f'ocimock reads dimension filters as a="b", not {part}')
        dimensions[dimension[1]] = dimension[2]
    seconds = int(found["count"]) * _SECONDS[found["unit"]]
    if not seconds:
        raise InvalidParameter(f"query: the interval {found['interval']} is empty")
    return Query(found["name"], found["interval"], seconds, dimensions, statistic)
