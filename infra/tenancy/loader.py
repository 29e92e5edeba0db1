"""Reads a tenancy file and says everything that is wrong with it at once."""

import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra.tenancy.errors import Path, Problem, TenancyError, dotted
from infra.tenancy.rules import problems as cross_field_problems
from infra.tenancy.schema import Tenancy
from infra.tenancy.source import Source, read
from infra.tenancy.values import REFUSED, Allowed, nearest

_STEM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def load(file: File | str) -> Tenancy:
    """The tenancy that the file describes. Raises TenancyError, which lists every problem."""
    file = File(file)
    source = read(file)
    if not _STEM.fullmatch(file.stem):
        raise TenancyError(
            f"{file}: the file's name names the stacks; found {file.stem!r}; "
            "allowed: 1 to 40 of a-z, 0-9 and '-', starting and ending with a letter or digit."
        )
    tenancy = _validated(source)
    found = list(cross_field_problems(tenancy))
    if found:
        raise _error(source, [(problem.path, problem.sentence()) for problem in found])
    tenancy._name = file.stem
    return tenancy


def allowed_at(path: Path) -> str:
    """What the schema takes at this path, in words."""
    return _in_words(*_field(path))


def _validated(source: Source) -> Tenancy:
    try:
        return Tenancy.model_validate(source.data)
    except ValidationError as error:
        found = [(tuple(detail["loc"]), _sentence(detail)) for detail in error.errors()]
        raise _error(source, found) from None


def _error(source: Source, found: list[tuple[Path, str]]) -> TenancyError:
    lines = sorted((source.line(path), text) for path, text in found)
    return TenancyError("\n".join(f"{source.name}:{line}: {text}" for line, text in lines))


def _sentence(detail: ErrorDetails) -> str:
    path: Path = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path)
    if detail["type"] == "missing":
        return Problem.missing(path, allowed_at(path)).sentence()
    hint = detail["msg"] if detail["type"] == REFUSED else ""
    return Problem(path, detail["input"], allowed_at(path), hint).sentence()


def _unknown_key(path: Path) -> str:
    names = list(_model(path[:-1]).model_fields)
    hint = nearest(path[-1], names) or f"allowed: {', '.join(names)}."
    return f"{dotted(path)}: unknown key; {hint}"


def _field(path: Path) -> tuple[Any, list[Any]]:
    """(annotation, metadata) of the field at the path, items of lists and mappings included."""
    annotation: Any = Tenancy
    metadata: list[Any] = []
    for step in path:
        annotation, metadata = _step(annotation, step)
    return annotation, metadata


def _step(annotation: Any, step: str | int) -> tuple[Any, list[Any]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields[str(step)]
        return _unwrapped(field.annotation, list(field.metadata))
    item = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
    return _unwrapped(item, [])


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """Without ``| None`` and ``Annotated``."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return _unwrapped(inner[0], metadata)
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return _unwrapped(inner, [*_flattened(marks), *metadata])
    return annotation, metadata


def _flattened(marks: list[Any]) -> Iterator[Any]:
    """Pydantic keeps the bounds of a ``Field(…)`` inside it."""
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark


def _model(path: Path) -> type[BaseModel]:
    model: type[BaseModel] = _field(path)[0]
    return model


def _in_words(annotation: Any, metadata: list[Any]) -> str:
    for mark in metadata:
        if isinstance(mark, Allowed):
            return mark.text
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(get_args(annotation))}"
    if annotation is bool:
        return "true or false"
    if annotation in (int, float):
        return _whole(metadata)
    if get_origin(annotation) is tuple:
        return f"a list; each item {_in_words(*_step(annotation, 0))}"
    if get_origin(annotation) in (dict, Mapping):
        return "a mapping of names to values"
    return f"a mapping of {', '.join(annotation.model_fields)}"


def _whole(metadata: list[Any]) -> str:
    bounds = list(_bounds(metadata))
    return f"a whole number from {bounds[0]} to {bounds[1]}" if len(bounds) == 2 else "a number"


def _bounds(metadata: list[Any]) -> Iterator[Any]:
    for mark in metadata:
        if isinstance(mark, Ge):
            yield mark.ge
        if isinstance(mark, Le):
            yield mark.le
