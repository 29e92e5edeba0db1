"""From verb and path to the operations that match, without trying every pattern."""

from __future__ import annotations

from collections.abc import Iterable

from .routes import Operation

Candidate = tuple[Operation, dict[str, str]]


class Router:
    """Operations indexed by the literal segments that their paths begin with."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._index: dict[tuple[str, ...], list[Operation]] = {}
        for operation in operations:
            self._index.setdefault(_leading(operation.path), []).append(operation)

    def match(self, path: str) -> list[Candidate]:
        """Every operation, of any verb, whose path matches; the most literal path first."""
        segments = path.strip("/").split("/")
        found: list[tuple[int, Candidate]] = []
        for length in (2, 1, 0):
            for operation in self._index.get(tuple(segments[:length]), ()):
                if length > len(segments):
                    continue
                if (parameters := operation.match(path)) is not None:
                    found.append((_literals(operation.path), (operation, parameters)))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [candidate for _, candidate in found]


def _leading(path: str) -> tuple[str, ...]:
    leading: list[str] = []
    for segment in path.strip("/").split("/")[:2]:
        if segment.startswith("{"):
            break
        leading.append(segment)
    return tuple(leading)


def _literals(path: str) -> int:
    return sum(not segment.startswith("{") for segment in path.split("/"))
