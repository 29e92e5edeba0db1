"""The router finds what a pattern for each path would find, the most literal first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocimock.registry import services
from ocimock.wire.router import Router
from ocimock.wire.routes import Operation

_OPERATIONS = [found for service in services().values() for found in service.known().values()]
_ROUTER = Router(_OPERATIONS)
_WORDS = sorted({word for found in _OPERATIONS for word in re.findall(r"[^/{}]+", found.path)})
_SEGMENTS = st.sampled_from([*_WORDS, "", "a%2Fb", "x"])
_PARAMETER = re.compile(r"\{(\w+)\}")


@st.composite
def _paths(draw: st.DrawFn) -> str:
    """Paths of operations with anything for parameters, a segment added or none, and any others."""
    if draw(st.booleans()):
        return "/" + "/".join(draw(st.lists(_SEGMENTS, max_size=8)))
    path = draw(st.sampled_from(_OPERATIONS)).path
    filled = _PARAMETER.sub(lambda _: draw(_SEGMENTS), path)
    return filled + draw(st.sampled_from(["", "", "/", "/x", "//x/"]))


def _pattern(operation: Operation) -> re.Pattern[str]:
    pattern = re.escape(operation.path).replace(r"\{", "{").replace(r"\}", "}")
    greedy = re.sub(r"\{(objectName|prefix)\}$", ".+", pattern)
    return re.compile(_PARAMETER.sub("[^/]+", greedy))


_PATTERNS = {(one.service, one.name): _pattern(one) for one in _OPERATIONS}


@given(_paths())
def test_it_finds_what_a_pattern_for_each_path_would(path: str) -> None:
    found = {(one.service, one.name) for one, _ in _ROUTER.match(path)}
    assert found == {name for name, pattern in _PATTERNS.items() if pattern.fullmatch(path)}


@given(_paths())
def test_the_most_literal_path_comes_first(path: str) -> None:
    parameters = [len(_PARAMETER.findall(one.path)) for one, _ in _ROUTER.match(path)]
    segments = [one.path.count("/") for one, _ in _ROUTER.match(path)]
    literals = [whole - some for whole, some in zip(segments, parameters, strict=True)]
    assert literals == sorted(literals, reverse=True)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/n/ns/b/bucket/o/a%2Fb%20c", "a/b c"),
        ("/n/ns/b/bucket/o/a/b%20c", "a/b c"),
        ("/n/ns/b/bucket/o//a/", "/a/"),
        ("/n/ns/b/bucket/o/%252F", "%2F"),
    ],
)
def test_parameters_are_decoded_once(path: str, name: str) -> None:
    found = {one.name: parameters for one, parameters in _ROUTER.match(path)}
    assert found["get_object"]["objectName"] == name
