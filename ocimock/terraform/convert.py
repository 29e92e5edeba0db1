"""Between Terraform's values and the OCI SDK's models, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocimock.terraform import times
from ocimock.terraform.exceptions import ConversionError, UnsupportedError
from ocimock.terraform.models import Field, Models, find
from ocimock.terraform.schema import Block, NestedBlock, Type
from ocimock.terraform.values import Value, is_zero

#: Tags by namespace: `{"ns": {"key": "value"}}` in the SDK, `{"ns.key": "value"}` in Terraform.
_NESTED_MAP = "dict(str, dict(str, object))"
#: The models whose destination port range Terraform's security list writes as bare `min`, `max`.
_PORT_OPTIONS = ("TcpOptions", "UdpOptions")


def to_model(models: Models, name: str, block: Block, values: Mapping[str, Value]) -> Any:
    """Build the SDK model `name` from a block's values; null values are left out.

    Raises ConversionError for a value that does not fit, UnsupportedError for one that the
    installed SDK has no field for.
    """
    name = models.subtype(name, values)
    fields = models.fields(name)
    arguments: dict[str, Any] = {}
    for key, attribute in block.attributes.items():
        value = values.get(key)
        if value is None or (attribute.computed and not attribute.optional):
            continue
        field = find(fields, key)
        if field is not None:
            arguments[field.name] = _to_sdk(field, value, key)
        elif not is_zero(value) and not _is_port_of(name, key):
            raise _no_field(name, key)
    for key, nested in block.blocks.items():
        value = values.get(key)
        if value is None or key == "timeouts":
            continue
        field = find(fields, key)
        if field is not None:
            arguments.update(_nested_to_sdk(models, field, nested, value))
        elif value:
            raise _no_field(name, key)
    if name in _PORT_OPTIONS and values.get("max") is not None:
        ports = {"min": values.get("min"), "max": values["max"]}
        arguments["destination_port_range"] = models.cls("PortRange")(
            **{end: None if port is None else int(port) for end, port in ports.items()}
        )
    try:
        return models.cls(name)(**arguments)
    except ValueError as error:
        # The SDK checks enumerations; its message names the field and what is allowed.
        raise ConversionError(str(error)) from None


def from_model(
    models: Models, block: Block, model: Any, carry: Mapping[str, Value]
) -> dict[str, Value]:
    """A block's values from an SDK model.

    What the model has no field for (a write-only value, a provider's own switch) is taken from
    `carry`, the values planned or known before.
    """
    fields = models.fields(type(model).__name__)
    values: dict[str, Value] = {}
    for key, attribute in block.attributes.items():
        field = find(fields, key)
        if field is None:
            values[key] = carry.get(key)
            continue
        values[key] = _from_sdk(models, attribute.type, getattr(model, field.name), key)
    for key, nested in block.blocks.items():
        field = None if key == "timeouts" else find(fields, key)
        if field is None:
            values[key] = carry.get(key) or (None if nested.nesting == "single" else [])
            continue
        values[key] = _nested_from_sdk(models, nested, getattr(model, field.name), carry.get(key))
    if type(model).__name__ in _PORT_OPTIONS and "max" in block.attributes:
        ports = model.destination_port_range
        values["min"] = None if ports is None else ports.min
        values["max"] = None if ports is None else ports.max
    return values


def to_namespaced(flat: Mapping[str, Value]) -> dict[str, Any]:
    """`{"ns.key": v}` as `{"ns": {"key": v}}`; ConversionError for a key without a dot."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
        if not parents:
            raise ConversionError(
                f'the key "{name}" has no namespace; write it as "namespace.{name}"'
            )
        target = nested
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = value
    return nested


def to_flat(nested: Mapping[str, Any]) -> dict[str, str]:
    """The reverse of `to_namespaced`, with every value as text."""
    flat: dict[str, str] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": text for key, text in to_flat(value).items()})
        else:
            flat[name] = text_of(value)
    return flat


def text_of(value: Any) -> str:
    """A scalar as Terraform writes it in a string attribute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return times.to_state(value)
    return str(value)


def _to_sdk(field: Field, value: Value, key: str) -> Any:
    if isinstance(value, list):
        return [_scalar(field.item, item, key) for item in value]
    if isinstance(value, Mapping):
        return to_namespaced(value) if field.type == _NESTED_MAP else dict(value)
    return _scalar(field.type, value, key)


def _scalar(kind: str, value: Value, key: str) -> Any:
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
    except ValueError:
        raise ConversionError(f'{key}: "{value}" is not a number', key) from None
    if kind == "datetime":
        moment = times.parse(str(value))
        if moment is None:
            raise ConversionError(
                f'{key}: "{value}" is not a time; write it as 2026-01-31T12:00:00Z', key
            )
        return moment
    return value


def _nested_to_sdk(
    models: Models, field: Field, nested: NestedBlock, value: list[Value]
) -> dict[str, Any]:
    items = [to_model(models, field.item, nested.block, item or {}) for item in value]
    if field.is_list:
        return {field.name: items}
    return {field.name: items[0]} if items else {}


def _nested_from_sdk(models: Models, nested: NestedBlock, value: Any, carry: Value) -> list[Value]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    earlier: list[Value] = list(carry or []) if nested.nesting == "list" else []
    earlier += [None] * (len(items) - len(earlier))
    return [
        from_model(models, nested.block, item, before or {})
        for item, before in zip(items, earlier, strict=False)
    ]


def _from_sdk(models: Models, kind: Type, value: Any, key: str) -> Value:
    if value is None:
        return None
    if isinstance(kind, str):
        return _scalar_from_sdk(kind, value, key)
    shape, item = kind
    if shape in ("list", "set"):
        members = value if isinstance(value, list) else [value]
        return [_from_sdk(models, item, member, key) for member in members]
    if shape == "map":
        return to_flat(value)
    fields = models.fields(type(value).__name__)
    document: dict[str, Value] = {}
    for name, inner in item.items():
        field = find(fields, name)
        found = None if field is None else getattr(value, field.name)
        document[name] = _from_sdk(models, inner, found, name)
    return document


def _scalar_from_sdk(kind: str, value: Any, key: str) -> Value:
    if kind == "string":
        if key.endswith("_date") and isinstance(value, datetime):
            return f"{value:%Y-%m-%d}"
        return text_of(value)
    if kind == "bool":
        return bool(value)
    number = float(value)
    return int(number) if number.is_integer() else number


def _is_port_of(model: str, key: str) -> bool:
    return model in _PORT_OPTIONS and key in ("min", "max")


def _no_field(model: str, key: str) -> UnsupportedError:
    return UnsupportedError(
        f"{key}: the installed OCI SDK's {model} has no such field. Leave it out, or use the "
        "real provider.",
        key,
    )
