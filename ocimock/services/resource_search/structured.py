"""The structured query language.

``query vcn, subnet resources return allAdditionalFields where (lifecycleState = 'AVAILABLE' &&
freeformTags.key = 'team') matching 'demo' sorted by timeCreated desc``

Source: OCI documentation, "Search Language Syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ...reading import Reader
from ...store import Record

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<word>[A-Za-z_][\w.]*)|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<sign>&&|\|\||==|!==|!=|<=|>=|[=<>(),]))"""
)
_SIGNS = ("=", "==", "!=", "!==", "<", "<=", ">", ">=")
_NOW = re.compile(r"now(?:\s*([+-])\s*(\d+)\s*([smhdw]))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

# A record, its type in search results and the time in seconds: whether the query asks for it.
Test = Callable[[Record, str, float], bool]


@dataclass(frozen=True)
class Query:
    """Types of resources (``all`` for every one), conditions, text and order.

    :param returned: whether fields beyond those of every resource are asked for.
    """

    types: tuple[str, ...]
    test: Test | None = None
    matching: str = ""
    sort: tuple[str, bool] = ("timecreated", True)
    returned: bool = False

    @classmethod
    def parse(cls, text: str) -> Query:
        """:raises InvalidParameter: it can't be read, and where."""
        return _Parser(text).query()

    def wants(self, record: Record, type_: str, now: float) -> bool:
        """Whether the query asks for *record*, which is of *type_* in search results."""
        if not {"all", type_.lower()} & set(self.types):
            return False
        if self.test is not None and not self.test(record, type_, now):
            return False
        return not self.matching or fits(record, type_, self.matching.lower().split())

    def order(self, record: Record, type_: str) -> str:
        """What results are sorted by."""
        return "".join(_values(record, type_, self.sort[0])[:1]).lower()


def fits(record: Record, type_: str, words: list[str]) -> bool:
    """Whether every word is in the resource's OCID, type, name, description or tags."""
    data = record.data
    names = ("id", "displayName", "name", "secretName", "description")
    texts = [type_, *(str(data.get(name) or "") for name in names)]
    for name, value in data.get("freeformTags", {}).items():
        texts += [name, value]
    together = "\n".join(texts).lower()
    return bool(words) and all(word in together for word in words)


class _Parser(Reader):
    def __init__(self, text: str) -> None:
        super().__init__(text, _TOKEN, where="query", words=("word", "sign"))

    def query(self) -> Query:
        self.expect("query")
        types = [self.next("word", "a name")]
        while self.take(","):
            types.append(self.next("word", "a name"))
        self.expect("resources")
        query = Query(tuple(name.lower() for name in types))
        while self.kind() != "end":
            query = self._clause(query)
        return query

    def _clause(self, query: Query) -> Query:
        if self.take("return"):
            self.next("word", "a name")
            while self.take(","):
                self.next("word", "a name")
            return replace(query, returned=True)
        if self.take("where"):
            return replace(query, test=self._any())
        if self.take("matching"):
            return replace(query, matching=self._value())
        if self.take("sorted"):
            self.expect("by")
            field = self.next("word", "a name").lower()
            descending = self.take("desc")
            if not descending:
                self.take("asc")
            return replace(query, sort=(field, descending))
        raise self.fault("return, where, matching or sorted by")

    def _any(self) -> Test:
        tests = [self._all()]
        while self.take("||"):
            tests.append(self._all())
        return lambda record, type_, now: any(test(record, type_, now) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self.take("&&"):
            tests.append(self._one())
        return lambda record, type_, now: all(test(record, type_, now) for test in tests)

    def _one(self) -> Test:
        if self.take("("):
            test = self._any()
            self.expect(")")
            return test
        field = self.next("word", "a name").lower()
        for sign in _SIGNS:
            if self.take(sign):
                return _comparison(field, sign, self._value())
        raise self.fault("one of " + " ".join(_SIGNS))

    def _value(self) -> str:
        if self.kind() == "number":
            return self.next("number")
        return self.next("text", "a text in quotes")[1:-1]


def _comparison(field: str, sign: str, wanted: str) -> Test:
    """Of a field with several values, such as tags' keys, one is enough."""

    def test(record: Record, type_: str, now: float) -> bool:
        values = _values(record, type_, field)
        if sign in ("!=", "!=="):
            return not any(_equal(value, wanted, exact=sign == "!==") for value in values)
        if sign in ("=", "=="):
            return any(_equal(value, wanted, exact=sign == "==") for value in values)
        limit = _moment(wanted, now)
        return any(_ordered(value, sign, limit) for value in values)

    return test


def _values(record: Record, type_: str, field: str) -> list[str]:
    """The values of a field, whose name is the same in any case, as text."""
    data = record.data
    if field.startswith("freeformtags."):
        tags = data.get("freeformTags", {})
        return list(tags if field.endswith(".key") else tags.values())
    if field.startswith("definedtags."):
        return _defined(data.get("definedTags", {}), field.rsplit(".", 1)[-1])
    # What a service lets search find beside the fields that its API shows.
    own = {"identifier": data.get("id", record.id), "resourceType": type_}
    name = data.get("displayName") or data.get("name") or data.get("secretName")
    known = {**data, **record.private.get("search", {}), **own, "displayName": name}
    lower = {wire.lower(): value for wire, value in known.items()}
    value = lower.get(field)
    if value is None:
        return []
    if isinstance(value, list):
        return [str(item) for item in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _defined(tags: dict[str, dict[str, Any]], part: str) -> list[str]:
    if part == "namespace":
        return list(tags)
    if part == "key":
        return [key for values in tags.values() for key in values]
    return [str(value) for values in tags.values() for value in values.values()]


def _equal(value: str, wanted: str, *, exact: bool) -> bool:
    return value == wanted if exact else value.lower() == wanted.lower()


def _ordered(value: str, sign: str, limit: str) -> bool:
    """Numbers as numbers, anything else (times too) as text."""
    try:
        left, right = float(value), float(limit)
        order = (left > right) - (left < right)
    except ValueError:
        order = (value > limit) - (value < limit)
    return order == 0 if sign.endswith("=") and order == 0 else order == (-1 if "<" in sign else 1)


def _moment(text: str, now: float) -> str:
    """*text*, or the time that ``now - 3d`` stands for, as OCI writes times."""
    found = _NOW.fullmatch(text.strip().lower())
    if found is None:
        return text
    if found[1]:
        now += int(found[2]) * _UNITS[found[3]] * (1 if found[1] == "+" else -1)
    moment = datetime.fromtimestamp(now, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
