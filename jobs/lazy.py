"""Commands whose modules are imported only when they are invoked: help needs no more than a name
and a sentence."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

import typer
import typer.core
import typer.main


class LazyGroup(typer.core.TyperGroup):
    """A group of which each command is a name until it is listed or invoked.

    *places* says where the function of a command lies, as ``module:function`` of this package, by
    the words that invoke it (``secret set``).
    """

    places: ClassVar[Mapping[str, str]] = {}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """For a list: with the first paragraph of the function's docstring as its help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and (place := self._place(ctx, cmd_name)):
            command.help = _sentence(place)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """For an invocation: the command itself."""
        name, command, rest = super().resolve_command(ctx, args)
        place = self._place(ctx, name or "")
        return name, _loaded(name or "", place) if place else command, rest

    def _place(self, ctx: Any, name: str) -> str | None:
        return self.places.get(" ".join([*_groups(ctx), name]))


def add(app: typer.Typer, name: str) -> None:
    """List the command *name* of a lazy group."""
    app.command(name)(_stub)


def _stub() -> None:
    raise AssertionError("A command's own function is invoked.")


def _groups(ctx: Any) -> list[str]:
    """The words that lead from the program to the group that *ctx* is of."""
    return [] if ctx.parent is None else [*_groups(ctx.parent), ctx.info_name]


def _loaded(name: str, place: str) -> Any:
    module, _, function = place.partition(":")
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(getattr(import_module(f"{__package__}.{module}"), function))
    return typer.main.get_command(single)


def _sentence(place: str) -> str:
    """Read from the source: importing the module takes a hundred times longer."""
    module, _, function = place.partition(":")
    spec = find_spec(f"{__package__}.{module}")
    source = spec.loader.get_source(spec.name) if spec and spec.loader else ""  # type: ignore[attr-defined]
    for node in ast.parse(source or "").body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return ""
