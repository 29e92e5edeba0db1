"""From a path to the operations that match it, segment by segment, without trying every one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from .errors import CannotParseRequest
from .routes import Operation

Candidate = tuple[Operation, dict[str, str]]

_PARAMETER = re.compile(r"\{(\w+)\}")
# As the last parameter these may hold slashes that a client did not escape (Terraform's provider
# sends object names so).
_GREEDY = ("objectName", "prefix")


@dataclass(frozen=True)
class _Route:
    """An operation, the names of its path's parameters, and how much of the path is literal."""

    operation: Operation
    names: tuple[str, ...]
    literals: int


@dataclass
class _Node:
    """What may follow the segments that lead here."""

    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    # Routes that end here, and those whose last parameter takes all that is left of a path.
    ending: list[_Route] = field(default_factory=list)
    greedy: list[_Route] = field(default_factory=list)

    def after(self, segment: str) -> _Node:
        """The node behind *segment* of an operation's path, new if need be."""
        if _PARAMETER.fullmatch(segment) is None:
            return self.literal.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


_Found = tuple[list[_Route], list[str]]


class Router:
    """Operations in a tree of their paths' segments."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def match(self, path: str) -> list[Candidate]:
        """Every operation, of any verb, whose path matches; the most literal path first.

        *path* is percent-encoded; the parameters that are read off it are not.

        :raises CannotParseRequest: they are not UTF-8.
        """
        found = _walk(self._root, _segments(path), [])
        if len(found) > 1:
            found.sort(key=lambda one: one[0][0].literals, reverse=True)
        candidates = []
        for routes, values in found:
            decoded = [_decoded(value) for value in values]
            for route in routes:
                parameters = dict(zip(route.names, decoded, strict=True))
                candidates.append((route.operation, parameters))
        return candidates

    def _add(self, operation: Operation) -> None:
        segments = _segments(operation.path)
        names = tuple(_PARAMETER.findall(operation.path))
        route = _Route(operation, names, len(segments) - len(names))
        node = self._root
        for segment in segments[:-1]:
            node = node.after(segment)
        if _PARAMETER.fullmatch(segments[-1]) and names[-1] in _GREEDY:
            node.greedy.append(route)
        else:
            node.after(segments[-1]).ending.append(route)


def _decoded(value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise CannotParseRequest(f"'{value[:80]}' in the path is not UTF-8") from None


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _walk(node: _Node, left: list[str], values: list[str]) -> list[_Found]:
    """The routes below *node* that match the segments *left*, with their parameters' values."""
    if not left:
        return [(node.ending, values)] if node.ending else []
    segment, *rest = left
    found: list[_Found] = []
    if segment in node.literal:
        found += _walk(node.literal[segment], rest, values)
    if segment and node.parameter is not None:
        found += _walk(node.parameter, rest, [*values, segment])
    if node.greedy and left != [""]:
        found.append((node.greedy, [*values, "/".join(left)]))
    return found
