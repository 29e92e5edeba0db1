"""Fault rules at work: which calls one is about, and which of these it strikes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import Call
    from .wire.routes import Operation

_VERSION = re.compile(r"\d{8}")
_ANY_RUN = ("**", "…", "...")
# Stands for a parameter's value that is not known: anything could be there.
_ANYTHING = "\0"


@dataclass(frozen=True)
class Rule:
    """What goes wrong, with which calls, and how often.

    :param match: a verb and a path (``POST /jobRuns``), or an operation as the SDK names it
        (``create_job_run``, ``datascience.create_job_run``). In a path ``*`` stands for what a
        segment may hold, ``**`` (or ``…``) for any number of segments; the API's version at its
        front may be left out.
    :param status: the status of the answer; None where the answer is dropped.
    :param code: the code in its body.
    :param drop: the operation happens, but the connection ends without its answer.
    :param percent: the share of matching calls, drawn from *seed*; 100 for all of them.
    :param every: each call of that number: 3 for the third, the sixth …
    :param first: only the first so many matching calls.
    :param times: how many calls it strikes at most; 0 for no end.
    :param retryAfter: seconds for the answer's ``retry-after``; 0 for no such header.
    """

    match: str
    status: int | None = None
    code: str = ""
    drop: bool = False
    percent: float = 100.0
    every: int = 0
    first: int = 0
    seed: int = 0
    times: int = 0
    retryAfter: int = 0  # noqa: N815 - the name in JSON

    def __str__(self) -> str:
        what = "drop the answer of" if self.drop else f"{self.status} {self.code} on"
        end = f", seed {self.seed}" if self.percent < 100 else ""
        end += f", {self.times} time{'s' * (self.times > 1)}" if self.times else ""
        end += f", retry after {self.retryAfter} s" if self.retryAfter else ""
        return f"{what} {self._which()}{self.match}{end}"

    def _which(self) -> str:
        if self.every:
            return f"every {self.every}{_ordinal(self.every)} "
        if self.first:
            return f"the first {self.first} "
        return f"{self.percent:g} % of " if self.percent < 100 else ""

    def matches(self, call: Call) -> bool:
        """Whether the rule is about *call* at all."""
        if not self._by_path():
            return _names(self.match, call.operation)
        verb, path = self.match.split(None, 1)
        if verb not in ("*", call.request.method):
            return False
        template = _segments(call.operation.path)
        values = [_filled(segment, call.path) for segment in template]
        return _fits(path, template, values)

    def can_match(self, operation: Operation) -> bool:
        """Whether some call of *operation* could be meant."""
        if not self._by_path():
            return _names(self.match, operation)
        verb, path = self.match.split(None, 1)
        template = _segments(operation.path)
        anything = [_ANYTHING if _is_parameter(segment) else segment for segment in template]
        return verb in ("*", operation.method) and _fits(path, template, anything)

    def strikes(self, number: int) -> bool:
        """Whether matching call *number* (from 1) is one of those that fail.

        The draw is a function of seed and number alone, so that a run repeats exactly, on any
        version of Python.
        """
        if self.every:
            return number % self.every == 0
        if self.first:
            return number <= self.first
        if self.percent >= 100:
            return True
        digest = hashlib.blake2b(f"{self.seed}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 * 100 < self.percent

    def _by_path(self) -> bool:
        return "/" in self.match


def unversioned(path: str) -> str:
    """An operation's path without the API's version at its front."""
    segments = _segments(path)
    return "/" + "/".join(segments[1:] if _VERSION.fullmatch(segments[0]) else segments)


def _names(wanted: str, operation: Operation) -> bool:
    return fnmatchcase(operation.name, wanted) or fnmatchcase(
        f"{operation.service}.{operation.name}", wanted
    )


def _fits(pattern: str, template: list[str], values: list[str]) -> bool:
    """Whether the path *values* of an operation with path *template* fits *pattern*."""
    wanted = pattern.strip("/").split("/")
    if template and _VERSION.fullmatch(template[0]) and wanted[0] != template[0]:
        template, values = template[1:], values[1:]
    return _segments_fit(wanted, template, values)


def _segments_fit(wanted: list[str], template: list[str], values: list[str]) -> bool:
    if not wanted:
        return not template
    if wanted[0] in _ANY_RUN:
        return any(
            _segments_fit(wanted[1:], template[skip:], values[skip:])
            for skip in range(len(template) + 1)
        )
    if not template or not _segment_fits(wanted[0], template[0], values[0]):
        return False
    return _segments_fit(wanted[1:], template[1:], values[1:])


def _segment_fits(wanted: str, template: str, value: str) -> bool:
    if _is_parameter(template) and (value == _ANYTHING or _is_parameter(wanted)):
        return True
    return fnmatchcase(value, wanted)


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _filled(segment: str, path: Mapping[str, str]) -> str:
    return path.get(segment.strip("{}"), segment) if _is_parameter(segment) else segment


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
