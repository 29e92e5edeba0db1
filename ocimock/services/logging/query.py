"""The part of OCI's logging query language that ADS, the console's links and people use.

``SEARCH "compartment/group/log" | WHERE source = '*ocid' AND (…) | SORT BY datetime DESC``

Source: OCI documentation, "Logging Query Language Specification".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...wire.errors import InvalidParameter, NotImplementedByMock

Line = dict[str, Any]
Test = Callable[[Line], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))"""
    r"""|(?P<name>[A-Za-z_][\w.\-]*)"""
    r"""|(?P<sign>!=|<=|>=|[=<>|,()]))"""
)
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
# Operators of the language that the mock does not have.
_UNSUPPORTED = frozenset(
    {"summarize", "select", "extend", "rollup", "top", "distinct", "dedup", "count", "create"}
)


@dataclass(frozen=True)
class Sort:
    field: str
    descending: bool


@dataclass(frozen=True)
class Query:
    """A parsed query: which streams, which lines of them, in which order, how many."""

    streams: tuple[str, ...]
    tests: tuple[Test, ...] = ()
    sort: tuple[Sort, ...] = (Sort("datetime", True),)
    limit: int | None = None

    def matches(self, line: Line) -> bool:
        return all(test(line) for test in self.tests)


def parse(text: str) -> Query:
    """Read a query.

    :raises InvalidParameter: not one, and where it goes wrong.
    :raises NotImplementedByMock: it uses an operator of the language that the mock lacks.
    """
    return _Parser(text).query()


def field(line: Line, name: str) -> Any:
    """A field of a line, by its full path or as seen from ``logContent``; None where absent."""
    for root in (line, line["logContent"]):
        value: Any = root
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


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
            query = self._stage(query)
        if self._kind() != "end":
            raise self._fault("'|' or the end")
        return query

    def _stage(self, query: Query) -> Query:
        if self._take("where"):
            return replace(query, tests=(*query.tests, self._any()))
        if self._take("sort"):
            self._expect("by")
            keys = [self._sort()]
            while self._take(","):
                keys.append(self._sort())
            return replace(query, sort=tuple(keys))
        if self._take("limit"):
            return replace(query, limit=int(self._value("number")))
        word = self._word()
        if word in _UNSUPPORTED:
            raise NotImplementedByMock(f"ocimock's log search has no operator '{word}'")
        raise self._fault("where, sort by or limit")

    def _stream(self) -> str:
        stream: str = self._value("text")
        if not 1 <= len(stream.split("/")) <= 3:
            raise InvalidParameter(
                f"searchQuery: the stream '{stream}' is not compartment/log group/log"
            )
        return stream

    def _sort(self) -> Sort:
        name: str = self._value("name")
        if self._take("desc"):
            return Sort(name, True)
        self._take("asc")
        return Sort(name, False)

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
