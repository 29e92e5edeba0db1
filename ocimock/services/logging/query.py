"""The part of OCI's logging query language that ADS, the console's links and people use.

``SEARCH "compartment/group/log" | WHERE source = '*ocid' AND (…) | SORT BY datetime DESC``

Source: OCI documentation, "Logging Query Language Specification".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

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


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._at = 0

    def query(self) -> Query:
        self._expect("search")
        query = Query((self._stream(),))
        while self._take(",") or self._kind() == "text":
            query = replace(query, streams=(*query.streams, self._stream()))
        while self._take("|"):
            query = replace(query, stages=(*query.stages, self._stage()))
        if self._kind() != "end":
            raise self._fault("'|' or the end")
        return query

    def _stage(self) -> Stage:
        readers: dict[str, Callable[[], Stage]] = {
            "where": lambda: Where(self._any()),
            "sort": self._sorting,
            "limit": lambda: Limit(int(self._value("number"))),
            "head": lambda: Limit(int(self._value("number"))),
            "select": lambda: Select(self._several(self._column)),
            "dedup": lambda: Dedup(self._several(lambda: str(self._value("name")))),
            "summarize": self._summarize,
            "count": lambda: Summarize((Aggregate("count", "", "count"),), ()),
        }
        for word, read in readers.items():
            if self._take(word):
                return read()
        if self._word() in _UNSUPPORTED:
            raise NotImplementedByMock(f"ocimock's log search has no operator '{self._word()}'")
        raise self._fault("where, select, summarize, dedup, sort by, head or limit")

    def _sorting(self) -> Sort:
        self._expect("by")
        return Sort(self._several(self._key))

    def _key(self) -> tuple[str, bool]:
        name: str = self._value("name")
        if self._take("desc"):
            return name, True
        self._take("asc")
        return name, False

    def _summarize(self) -> Summarize:
        aggregates = self._several(self._aggregate)
        by = self._several(self._column) if self._take("by") else ()
        return Summarize(aggregates, by)

    def _aggregate(self) -> Aggregate:
        function = str(self._value("name")).lower()
        if function not in FUNCTIONS:
            raise NotImplementedByMock(
                f"ocimock's log search has no {function}(); it has {', '.join(FUNCTIONS)}"
            )
        self._expect("(")
        name = str(self._value("name")) if self._kind() == "name" else ""
        if not name and function != "count":
            raise self._fault("a field")
        self._expect(")")
        return Aggregate(function, name, self._alias(function))

    def _column(self) -> Column:
        """A field, or ``rounddown(datetime, '1h')``, with or without a name for it."""
        name: str = self._value("name")
        step = 0
        if self._take("("):
            if name.lower() != "rounddown":
                raise NotImplementedByMock(f"ocimock's log search has no {name}()")
            name = self._value("name")
            self._expect(",")
            step = _milliseconds(self._value("text"))
            self._expect(")")
        return Column(name, self._alias(name), step)

    def _alias(self, usual: str) -> str:
        return str(self._value("name")) if self._take("as") else usual

    def _several(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self._take(","):
            found.append(read())
        return tuple(found)

    def _stream(self) -> str:
        stream: str = self._value("text")
        if not 1 <= len(stream.split("/")) <= 3:
            raise InvalidParameter(
                f"searchQuery: the stream '{stream}' is not compartment/log group/log"
            )
        return stream

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda line: any(test(line) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda line: all(test(line) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            denied = self._one()
            return lambda line: not denied(line)
        if self._take("("):
            test = self._any()
            self._expect(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name: str = self._value("name")
        if self._take("in"):
            self._expect("(")
            wanted = [self._literal()]
            while self._take(","):
                wanted.append(self._literal())
            self._expect(")")
            return lambda line: any(_compare("=", field(line, name), item) for item in wanted)
        for sign in _SIGNS:
            if self._take(sign):
                value = self._literal()
                return lambda line: _compare(sign, field(line, name), value)
        raise self._fault("a comparison such as = or !=")

    def _literal(self) -> Any:
        if self._kind() == "number":
            return self._value("number")
        return self._value("text")

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _word(self) -> str:
        return str(self._tokens[self._at][1]).lower()

    def _take(self, word: str) -> bool:
        if self._kind() in ("name", "sign") and self._word() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._fault(f"'{word}'")

    def _value(self, kind: str) -> Any:
        if self._kind() != kind:
            raise self._fault(f"a {kind}")
        value = self._tokens[self._at][1]
        self._at += 1
        return value

    def _fault(self, wanted: str) -> InvalidParameter:
        kind, value = self._tokens[self._at]
        found = "its end" if kind == "end" else f"'{value}'"
        return InvalidParameter(f"searchQuery: {wanted} expected, {found} found in {self._text}")

    @staticmethod
    def _split(text: str) -> list[tuple[str, Any]]:
        tokens: list[tuple[str, Any]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise InvalidParameter(f"searchQuery: '{text[at:].strip()[:20]}' can't be read")
            kind = found.lastgroup or ""
            value: Any = found[kind]
            if kind == "text":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            elif kind == "number":
                value = float(value)
            tokens.append((kind, value))
            at = found.end()
        return [*tokens, ("end", "")]


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
