"""Changing single values of a YAML file; everything else in it stays as it is, byte by byte.

A library that loads a file and writes it anew keeps comments too, but not where they stand, nor
quotes, nor indentation. Here PyYAML says where a value begins and ends, and only that is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

# Which fields stand before which in a part: a new one goes after the last of those before it.
ORDER: Mapping[str, Sequence[str]] = {
    "finetune": (
        *("recipe", "method", "replicas", "shape", "fallback_shapes", "block_storage_gb"),
        *("epochs", "max_steps", "batch_size", "gradient_accumulation", "max_length", "packing"),
        "gradient_checkpointing",
    ),
    "merge": ("shape", "fallback_shapes", "block_storage_gb"),
    "serving": (
        *("shape", "fallback_shapes", "replicas", "image", "max_model_len", "tensor_parallel"),
    ),
}


class EditError(Exception):
    """The file is written in a way in which that value can't be changed alone."""


def edited(text: str, changes: Mapping[tuple[str, ...], Any]) -> str:
    """*text* with the values of *changes* at their paths (a key, or a part and a key); None takes a
    field out, by making a comment of its line.

    Raises:
        EditError: see there.
    """
    for path, value in changes.items():
        text = _changed(text, path, value)
    return text


def _changed(text: str, path: tuple[str, ...], value: Any) -> str:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:  # an alias whose anchor was replaced
        raise EditError(f"{error.problem}") from None
    if not isinstance(root, yaml.MappingNode):
        raise EditError("it is no mapping")
    node, key = root, path[-1]
    for name in path[:-1]:
        inner = _value(node, name)
        if inner is None:
            return text if value is None else _appended(text, name, key, value)
        if not isinstance(inner, yaml.MappingNode):
            raise EditError(f"{name} is no mapping")
        node = inner
    found = _value(node, key)
    if value is None:
        return text if found is None else _commented(text, node, key)
    if found is None:
        return _inserted(text, node, path, value)
    if not isinstance(found, yaml.ScalarNode):
        raise EditError(f"{'.'.join(path)} is no single value")
    return text[: found.start_mark.index] + _scalar(value) + text[found.end_mark.index :]


def _value(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    found: yaml.Node | None = next((value for key, value in node.value if key.value == name), None)
    return found


def _appended(text: str, part: str, key: str, value: Any) -> str:
    """The part is not there: it goes to the end."""
    end = _newline(text)
    start = text if not text or text.endswith("\n") else text + end
    return f"{start}{part}:{end}  {key}: {_scalar(value)}{end}"


def _inserted(text: str, node: yaml.MappingNode, path: tuple[str, ...], value: Any) -> str:
    key = path[-1]
    if node.flow_style:
        return _inserted_in_flow(text, node, key, value)
    before = _before(node, path)
    indent = " " * node.start_mark.column
    # After the line on which the value before it ends, with that line's comment.
    at = text.find("\n", _end(before))
    line = f"{indent}{key}: {_scalar(value)}"
    if at < 0:
        return f"{text}{_newline(text)}{line}{_newline(text)}"
    return f"{text[: at + 1]}{line}{_newline(text)}{text[at + 1 :]}"


def _inserted_in_flow(text: str, node: yaml.MappingNode, key: str, value: Any) -> str:
    entry = f"{key}: {_scalar(value)}"
    if not node.value:
        return f"{text[: node.start_mark.index]}{{{entry}}}{text[node.end_mark.index :]}"
    at = _end(node.value[-1][1])
    return f"{text[:at]}, {entry}{text[at:]}"


def _before(node: yaml.MappingNode, path: tuple[str, ...]) -> yaml.Node:
    """The value that the new one shall follow."""
    order = list(ORDER.get(path[0], ())) if len(path) > 1 else []
    earlier = order[: order.index(path[-1])] if path[-1] in order else []
    standing: list[yaml.Node] = [value for key, value in node.value if key.value in earlier]
    last: yaml.Node = standing[-1] if standing else node.value[-1][1]
    return last


def _end(node: yaml.Node) -> int:
    """Where a value's own text ends. A block's end mark is where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        # The last line break of its own is before it.
        return max(node.start_mark.index, node.end_mark.index - 1)
    return int(node.end_mark.index)


def _commented(text: str, node: yaml.MappingNode, key: str) -> str:
    if node.flow_style:
        raise EditError(f"{key} stands among others on one line")
    name = next(each for each, _ in node.value if each.value == key)
    at = name.start_mark.index
    return f"{text[:at]}#{text[at:]}"


def _scalar(value: Any) -> str:
    written: str = yaml.safe_dump(value, width=2**31)
    return written.removesuffix("...\n").strip()


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
