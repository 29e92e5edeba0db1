"""The SDK's models as the specification of bodies: which fields, of which type, which required."""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import InvalidParameter, MissingParameter
from .lengths import check_defined_tags, check_free_tags, check_text, longest

_LIST = re.compile(r"list\[(.+)\]$")
_MAP = re.compile(r"dict\(str, (.+)\)$")
_INT64 = 2**63
_REQUIRED = "**[Required]**"
# Fields whose values no error may show.
_PRIVATE = re.compile(r"secretContent|environmentVariables|password", re.IGNORECASE)


@dataclass(frozen=True)
class Field:
    """One field of a model: its name on the wire, in Python, and its SDK type.

    *is_enumerated*: the SDK allows certain values only. *most*: characters, None for any number.
    """

    wire: str
    python: str
    type: str
    required: bool
    is_enumerated: bool = False
    most: int | None = None


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
            wire,
            python,
            instance.swagger_types[python],
            doc.lstrip().startswith(_REQUIRED),
            "allowed_values" in getattr(sdk_class, python).fset.__code__.co_varnames,
            longest(module, wire),
        )
    return Model(name, module, fields)


def validate(module: str, name: str, value: Any, where: str = "") -> None:
    """Check a JSON *value* against an SDK model.

    :raises InvalidParameter: unknown field, wrong type, value not in the enumeration, too long.
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
        if given is None:
            if found.required:
                place = _join(where, found.wire)
                raise MissingParameter(f"{place} must not be null: {spec.name} requires it")
            continue
        _check_field(spec, found, given, _join(where, found.wire))


def _check_field(spec: Model, found: Field, given: Any, place: str) -> None:
    _check_type(spec.module, found.type, given, place)
    if found.most is not None and isinstance(given, str):
        check_text(given, found.most, place)
    if found.is_enumerated and isinstance(given, str):
        _check_enum(spec, found, given, place)
    elif found.wire in _TAGS:
        _TAGS[found.wire](given, place)


_TAGS: dict[str, Callable[[Mapping[str, Any], str], None]] = {
    "freeformTags": check_free_tags,
    "definedTags": check_defined_tags,
}


def _check_type(module: str, type_: str, value: Any, where: str) -> None:
    scalar = _SCALARS.get(type_)
    if scalar is not None:
        if not scalar(value):
            raise InvalidParameter(f"{where} must be of type {type_}, not {_kind(value, where)}")
        return
    shape, inner = _shape(module, type_)
    if shape == "list":
        if not isinstance(value, list):
            raise InvalidParameter(f"{where} must be a list, not {_type(value)}")
        for number, item in enumerate(value):
            _check_type(module, inner, item, f"{where}[{number}]")
    elif shape == "map":
        if not isinstance(value, Mapping):
            raise InvalidParameter(f"{where} must be a map, not {_type(value)}")
        for key, item in value.items():
            _check_type(module, inner, item, f"{where}.{key}")
    elif shape == "model":
        validate(module, type_, value, where)


@functools.cache
def _shape(module: str, type_: str) -> tuple[str, str]:
    """Whether an SDK type is a list, a map, a model or anything, and the type of what is in it."""
    if found := _LIST.match(type_):
        return "list", found.group(1)
    if found := _MAP.match(type_):
        return "map", found.group(1)
    # The SDK names types that it has no model for (HttpMethod): nothing is known of those.
    if type_ != "object" and hasattr(importlib.import_module(module), type_):
        return "model", type_
    return "any", ""


def _check_enum(spec: Model, found: Field, value: str, where: str) -> None:
    refusal = _refusal(spec.module, spec.name, found.python, value)
    if refusal is not None:
        shown = "this value" if _PRIVATE.search(where) else f"'{value}'"
        raise InvalidParameter(f"{where}: {shown} is not allowed. {refusal}")


@functools.lru_cache(maxsize=1024)
def _refusal(module: str, name: str, python: str, value: str) -> str | None:
    """The setters of models refuse what their enumeration lacks, or make it UNKNOWN; ask them."""
    sdk_class = _sdk_class(module, name)
    instance = sdk_class()
    try:
        setattr(instance, python, value)
    except ValueError as refusal:
        return str(refusal)
    if getattr(instance, python) == value:
        return None
    # The values are constants of the class too: JOB_TYPE_DEFAULT.
    prefix = f"{python.upper()}_"
    allowed = [text for found, text in vars(sdk_class).items() if found.startswith(prefix)]
    return f"It is one of {', '.join(allowed)}"


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        # Not written as a time, or so early that it is none on the clock.
        return False
    return True


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


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
