"""Terraform's values on the wire."""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocimock.terraform.values import UNKNOWN, decode, encode, is_zero, known, wholly_known

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.just(UNKNOWN),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_a_value_survives_the_wire(value: Any) -> None:
    assert decode(encode(value)) == value


@given(_VALUES)
def test_known_leaves_no_unknown_and_touches_nothing_else(value: Any) -> None:
    assert wholly_known(known(value))
    if wholly_known(value):
        assert known(value) == value


def test_no_bytes_are_null() -> None:
    assert decode(b"") is None


def test_an_unknown_with_refinements_is_unknown() -> None:
    # Terraform 1.6 and later add what they know of it, e.g. that it will not be null.
    refined = msgpack.packb([msgpack.ExtType(12, msgpack.packb({1: False}))])
    assert decode(refined) == [UNKNOWN]


def test_unknowns_travel_as_terraforms_extension() -> None:
    assert msgpack.unpackb(encode(UNKNOWN)) == msgpack.ExtType(0, b"\0")


@pytest.mark.parametrize("value", [None, "", 0, False, [], {}])
def test_zero_values(value: Any) -> None:
    assert is_zero(value)


@pytest.mark.parametrize("value", ["0", 1, True, [None], {"a": None}, UNKNOWN])
def test_not_zero_values(value: Any) -> None:
    assert not is_zero(value)
