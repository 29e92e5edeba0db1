"""The SDK's models as the specification of bodies: which fields, of which type, which required."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import InvalidParameter, MissingParameter

_LIST = re.compile(r"list\[(.+)\]$")
_MAP = re.compile(r"dict\(str, (.+)\)$")
_REQUIRED = "**[Required]**"
# Fields whose values no error may show.
_PRIVATE = re.compile(r"secretContent|environmentVariables|password", re.IGNORECASE)


@dataclass(frozen=True)
class Field:
    """One field of a model: its name on the wire, in Python, and its SDK type."""

    wire: str
    python: str
    type: str
    required: bool


@dataclass(frozen=True)
class Model:
    """One model of the SDK, read once."""

    name: str
    module: str
    fields: Mapping[str, Field]

    def subtype(self, value: Mapping[str, Any]) -> Model:
        """The model that *value*'s discriminator names, this one where there is none."""
        select = _selector(self.module, self.name)
        if select is None:
            return self
        # get_subtype may index its argument under either spelling; hand it all fields.
        known = {found.wire: value.get(found.wire) for found in self.fields.values()}
        return model(self.module, select(known))


@functools.cache
def model(module: str, name: str) -> Model:
    """The model *name* of SDK package *module* (``oci.core.models``).

    :raises KeyError: the SDK has no such model.
    """
    sdk_class = _sdk_class(module, name)
    instance = sdk_class()
    fields = {}
    for python, wire in instance.attribute_map.items():
        doc = getattr(sdk_class, python).__doc__ or ""
        fields[wire] = Field(
            wire, python, instance.swagger_types[python], doc.lstrip().startswith(_REQUIRED)
        )
    return Model(name, module, fields)


def validate(module: str, name: str, value: Any, where: str = "") -> None:
    """Check a JSON *value* against an SDK model.

    :raises InvalidParameter: unknown field, wrong type, value not in the enumeration.
    :raises MissingParameter: a required field is absent.
    """
    if not isinstance(value, Mapping):
        raise InvalidParameter(f"{where or name} must be an object ({name}), not {_type(value)}")
    spec = model(module, name).subtype(value)
    for wire in value:
        if wire not in spec.fields:
            raise InvalidParameter(f"Unrecognized field '{_join(where, wire)}' of {spec.name}")
    for found in spec.fields.values():
        given = value.get(found.wire)
        place = _join(where, found.wire)
        if given is None:
            if found.required:
                raise MissingParameter(f"{place} must not be null: {spec.name} requires it")
            continue
        _check_type(module, found.type, given, place)
        _check_enum(spec, found, given, place)


def _check_type(module: str, type_: str, value: Any, where: str) -> None:
    if found := _LIST.match(type_):
        if not isinstance(value, list):
            raise InvalidParameter(f"{where} must be a list, not {_type(value)}")
        for number, item in enumerate(value):
            _check_type(module, found.group(1), item, f"{where}[{number}]")
        return
    if found := _MAP.match(type_):
        if not isinstance(value, Mapping):
            raise InvalidParameter(f"{where} must be a map, not {_type(value)}")
        for key, item in value.items():
            _check_type(module, found.group(1), item, f"{where}.{key}")
        return
    if type_ in _SCALARS:
        if not _SCALARS[type_](value):
            raise InvalidParameter(f"{where} must be of type {type_}, not {_kind(value, where)}")
        return
    # The SDK names types that it has no model for (HttpMethod): nothing is known of those.
    if type_ != "object" and hasattr(importlib.import_module(module), type_):
        validate(module, type_, value, where)


def _check_enum(spec: Model, found: Field, value: Any, where: str) -> None:
    """The setters of details models refuse what their enumeration lacks; ask them."""
    if not isinstance(value, str):
        return
    instance = _sdk_class(spec.module, spec.name)()
    try:
        setattr(instance, found.python, value)
    except ValueError as refusal:
        shown = "this value" if _PRIVATE.search(where) else f"'{value}'"
        raise InvalidParameter(f"{where}: {shown} is not allowed. {refusal}") from None


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_SCALARS = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: _is_number(value) and float(value).is_integer(),
    "float": _is_number,
    "datetime": _is_time,
}


def _kind(value: Any, where: str) -> str:
    """What was found, for an error; of what may hold a secret only its type."""
    if _PRIVATE.search(where) or isinstance(value, (dict, list)):
        return _type(value)
    return f"{value!r} ({type(value).__name__})"


def _type(value: Any) -> str:
    return f"a {type(value).__name__}"


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@functools.cache
def _selector(module: str, name: str) -> Any:
    """The function by which the SDK finds a model's subtype; None where it has none."""
    return getattr(_sdk_class(module, name), "get_subtype", None)


@functools.cache
def _sdk_class(module: str, name: str) -> Any:
    found = getattr(importlib.import_module(module), name, None)
    if found is None:
        raise KeyError(f"{module} has no model {name}")
    return found
