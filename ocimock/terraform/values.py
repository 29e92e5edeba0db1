"""Terraform's values on the wire: msgpack, with an extension for what is not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

#: msgpack extension of an unknown value, and of one with refinements (Terraform 1.6 and later).
_UNKNOWN_EXTENSION: Final = 0
_REFINED_UNKNOWN_EXTENSION: Final = 12


class Unknown:
    """A value that will be known after apply. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

#: null, a scalar, a list or a dict of values, or `UNKNOWN`.
Value = Any


def decode(data: bytes) -> Value:
    """Read a msgpack value; no bytes at all mean null."""
    if not data:
        return None
    return msgpack.unpackb(data, ext_hook=_extension, raw=False, strict_map_key=False)


def encode(value: Value) -> bytes:
    """Write a value as msgpack."""
    packed = msgpack.packb(value, default=_pack)
    assert isinstance(packed, bytes)
    return packed


def known(value: Value) -> Value:
    """The value with null in place of everything unknown."""
    if value is UNKNOWN:
        return None
    if isinstance(value, Mapping):
        return {name: known(item) for name, item in value.items()}
    if isinstance(value, list):
        return [known(item) for item in value]
    return value


def wholly_known(value: Value) -> bool:
    """Whether nothing in the value is unknown."""
    if value is UNKNOWN:
        return False
    if isinstance(value, Mapping):
        return all(wholly_known(item) for item in value.values())
    if isinstance(value, list):
        return all(wholly_known(item) for item in value)
    return True


def is_zero(value: Value) -> bool:
    """Whether Terraform's plugin SDK takes the value for "not set": null, "", 0, false, empty."""
    return value is None or (value is not UNKNOWN and value in ("", 0, False, [], {}))


def _extension(code: int, data: bytes) -> Value:
    if code in (_UNKNOWN_EXTENSION, _REFINED_UNKNOWN_EXTENSION):
        return UNKNOWN
    return msgpack.ExtType(code, data)


def _pack(value: object) -> msgpack.ExtType:
    if isinstance(value, Unknown):
        # Terraform reads any payload; one zero byte is what its own encoder writes.
        return msgpack.ExtType(_UNKNOWN_EXTENSION, b"\0")
    raise TypeError(f"no msgpack form for {type(value).__name__}")
