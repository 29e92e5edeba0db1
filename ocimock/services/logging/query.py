"""The part of OCI's logging query language that ADS, the console's links and people use.

``SEARCH "compartment/group/log" | WHERE source = '*ocid' AND (…) | SORT BY datetime DESC``

Source: OCI documentation, "Logging Query Language Specification".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ...reading import Reader
from ...wire.errors import InvalidParameter, NotImplementedByMock
from .stages import (
    FUNCTIONS,
    Aggregate,
    Column,
    Dedup,
    Limit,
    Line,
    Select,
    Sort,
    Stage,
    Summarize,
    Test,
    Where,
    field,
)

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))"""
    r"""|(?P<name>[A-Za-z_][\w.\-]*)"""
    r"""|(?P<sign>!=|<=|>=|[=<>|,()]))"""
)
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
# Operators of the language that the mock does not have.
_UNSUPPORTED = frozenset({"extend", "rollup", "top", "distinct", "create", "tail", "bucket"})
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """A parsed query: which streams, and what happens to their lines, newest first."""

    streams: tuple[str, ...]
    stages: tuple[Stage, ...] = ()

    def results(self, lines: list[Line]) -> list[Line]:
        """What the query makes of *lines*."""
        newest_first: Stage = Sort((("datetime", True),))
        for stage in (newest_first, *self.stages):
            lines = stage(lines)
        return lines


def parse(text: str) -> Query:
    """Read a query.

    :raises InvalidParameter: not one, and where it goes wrong.
    :raises NotImplementedByMock: it uses an operator of the language that the mock lacks.
    """
    return _Parser(text).query()


class _Parser(Reader):
    def __init__(self, text: str) -> None:
        super().__init__(text, _TOKEN, where="searchQuery", words=("name", "sign"))

    def query(self) -> Query:
        self.expect("search")
        query = Query((self._stream(),))
        while self.take(",") or self.kind() == "text":
            query = replace(query, streams=(*query.streams, self._stream()))
        while self.take("|"):
            query = replace(query, stages=(*query.stages, self._stage()))
        if self.kind() != "end":
            raise self.fault("'|' or the end")
        return query

    def _stage(self) -> Stage:
        readers: dict[str, Callable[[], Stage]] = {
            "where": lambda: Where(self._any()),
            "sort": self._sorting,
            "limit": lambda: Limit(int(self._number())),
            "head": lambda: Limit(int(self._number())),
            "select": lambda: Select(self._several(self._column)),
            "dedup": lambda: Dedup(self._several(lambda: self.next("name"))),
            "summarize": self._summarize,
            "count": lambda: Summarize((Aggregate("count", "", "count"),), ()),
        }
        for word, read in readers.items():
            if self.take(word):
                return read()
        if self.value().lower() in _UNSUPPORTED:
            raise NotImplementedByMock(
                f"ocimock's log search has no operator '{self.value().lower()}'"
            )
        raise self.fault("where, select, summarize, dedup, sort by, head or limit")

    def _sorting(self) -> Sort:
        self.expect("by")
        return Sort(self._several(self._key))

    def _key(self) -> tuple[str, bool]:
        name: str = self.next("name")
        if self.take("desc"):
            return name, True
        self.take("asc")
        return name, False

    def _summarize(self) -> Summarize:
        aggregates = self._several(self._aggregate)
        by = self._several(self._column) if self.take("by") else ()
        return Summarize(aggregates, by)

    def _aggregate(self) -> Aggregate:
        function = self.next("name").lower()
        if function not in FUNCTIONS:
            raise NotImplementedByMock(
                f"ocimock's log search has no {function}(); it has {', '.join(FUNCTIONS)}"
            )
        self.expect("(")
        name = self.next("name") if self.kind() == "name" else ""
        if not name and function != "count":
            raise self.fault("a field")
        self.expect(")")
        return Aggregate(function, name, self._alias(function))

    def _column(self) -> Column:
        """A field, or ``rounddown(datetime, '1h')``, with or without a name for it."""
        name: str = self.next("name")
        step = 0
        if self.take("("):
            if name.lower() != "rounddown":
                raise NotImplementedByMock(f"ocimock's log search has no {name}()")
            name = self.next("name")
            self.expect(",")
            step = _milliseconds(self._quoted())
            self.expect(")")
        return Column(name, self._alias(name), step)

    def _alias(self, usual: str) -> str:
        return self.next("name") if self.take("as") else usual

    def _several(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self.take(","):
            found.append(read())
        return tuple(found)

    def _stream(self) -> str:
        stream: str = self._quoted()
        if not 1 <= len(stream.split("/")) <= 3:
            raise InvalidParameter(
                f"searchQuery: the stream '{stream}' is not compartment/log group/log"
            )
        return stream

    def _any(self) -> Test:
        tests = [self._all()]
        while self.take("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda line: any(test(line) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self.take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda line: all(test(line) for test in tests)

    def _one(self) -> Test:
        if self.take("not"):
            denied = self._one()
            return lambda line: not denied(line)
        if self.take("("):
            test = self._any()
            self.expect(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name: str = self.next("name")
        if self.take("in"):
            self.expect("(")
            wanted = [self._literal()]
            while self.take(","):
                wanted.append(self._literal())
            self.expect(")")
            return lambda line: any(_compare("=", field(line, name), item) for item in wanted)
        for sign in _SIGNS:
            if self.take(sign):
                value = self._literal()
                return lambda line: _compare(sign, field(line, name), value)
        raise self.fault("a comparison such as = or !=")

    def _literal(self) -> str | float:
        return self._number() if self.kind() == "number" else self._quoted()

    def _number(self) -> float:
        return float(self.next("number"))

    def _quoted(self) -> str:
        return re.sub(r"\\(.)", r"\1", self.next("text")[1:-1])


def _milliseconds(interval: str) -> int:
    """:raises InvalidParameter: not an interval such as 15m."""
    found = re.fullmatch(r"(\d+)([smhd])", interval)
    if found is None or not int(found[1]):
        raise InvalidParameter(f"searchQuery: '{interval}' is not an interval such as 15m")
    return int(found[1]) * _UNITS[found[2]]


def _compare(sign: str, found: Any, wanted: Any) -> bool:
    if sign == "!=":
        return not _compare("=", found, wanted)
    if found is None:
        return False
    if isinstance(wanted, str):
        if sign == "=":
            return _like(wanted).fullmatch(str(found)) is not None
        return _ordered(sign, str(found), wanted)
    try:
        number = float(found)
    except (TypeError, ValueError):
        return False
    return number == wanted if sign == "=" else _ordered(sign, number, wanted)


def _ordered(sign: str, found: Any, wanted: Any) -> bool:
    if found == wanted:
        return sign in ("<=", ">=")
    return bool((found < wanted) == sign.startswith("<"))


def _like(pattern: str) -> re.Pattern[str]:
    """*pattern* with ``*`` for any characters."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
