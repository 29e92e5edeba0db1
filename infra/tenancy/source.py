"""YAML text → plain data, with the line of every key, so that a problem can be pointed at."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

import yaml

from infra.tenancy.errors import Path, TenancyError


@dataclass(frozen=True)
class Source:
    """A parsed file: its data and, for every path in it, the line (from 1) where it stands."""

    name: str
    data: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of the path, or of its nearest ancestor that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(file: File) -> Source:
    """Read and parse the file. Raises TenancyError if it is no YAML mapping with single keys."""
    name = str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TenancyError(f"{name}: no such file. {_neighbours(file)}") from None
    except IsADirectoryError:
        raise TenancyError(f"{name}: is a folder; name a file in it. {_neighbours(file)}") from None
    except UnicodeDecodeError as error:
        raise TenancyError(f"{name}: not UTF-8 text (byte {error.start}).") from None
    return parse(text, name)


def parse(text: str, name: str) -> Source:
    """Parse YAML text. Raises TenancyError as ``read`` does."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise TenancyError(_syntax(error, text, name)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = f"U+{ord(text[error.position]):04X}"
        message = f"the character {character} is not allowed in YAML"
        raise TenancyError(f"{name}:{line}: {message}.") from None
    if node is None:
        raise TenancyError(
            f"{name}: the file is empty. It needs at least tenancy_ocid and compartment_ocid; "
            "tenancies/example.yaml shows every field."
        )
    if not isinstance(node, yaml.MappingNode):
        raise TenancyError(
            f"{name}:{node.start_mark.line + 1}: found {_kind(node)}; "
            "allowed: a mapping of fields ('region: eu-frankfurt-1')."
        )
    reader = _Reader()
    data = reader.value(node, ())
    if reader.problems:
        raise TenancyError("\n".join(f"{name}:{problem}" for problem in reader.problems))
    return Source(name, data, reader.lines)


class _Reader:
    """Walks the node tree once; collects lines, and keys that stand twice."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self.problems: list[str] = []
        self._constructor = yaml.constructor.SafeConstructor()
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        if id(node) in self._open:
            line = node.start_mark.line + 1
            self.problems.append(f"{line}: the alias refers to the mapping that it stands in.")
            return None
        self._open.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError):
            line = node.start_mark.line + 1
            self.problems.append(f"{line}: {node.value!r} is not a plain value ({node.tag}).")
            return None

    def _item(self, node: yaml.Node, path: Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Hashable, Any]:
        self._refuse_duplicates(node, path)
        self._constructor.flatten_mapping(node)
        data: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.tag)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            data[key] = self.value(value_node, (*path, key))
        return data

    def _refuse_duplicates(self, node: yaml.MappingNode, path: Path) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            line = key_node.start_mark.line + 1
            key = key_node.value
            if key in first:
                where = ".".join(map(str, (*path, key)))
                self.problems.append(
                    f"{line}: {where}: stands twice, first on line {first[key]}; keep one."
                )
            first.setdefault(key, line)


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    source = text.splitlines()
    written = source[line - 1] if line <= len(source) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return f"{name}:{line}: a tab indents this line; YAML allows only spaces there."
    return f"{name}:{line}: not valid YAML: {error.problem}. The line reads: {written.strip()!r}."


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"the lone value {node.value!r}"


def _neighbours(file: File) -> str:
    folder = file.parent if file.parent.is_dir() else File("tenancies")
    if file.is_dir():
        folder = file
    found = sorted(str(other) for other in folder.glob("*.yaml"))
    if not found:
        return "Copy tenancies/example.yaml and name the copy in TUNESTACK_TENANCY."
    return f"Tenancy files there: {', '.join(found)}."
