"""What every command prints with, and how mistakes become exit codes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

from .clock import SystemClock
from .errors import JobsError
from .lazy import LazyGroup

_TENANCY = "--tenancy"
# A command of ours in an advice, up to its closing quote.
_COMMAND = re.compile(r"python -m jobs( [a-z]+)+(?=')")

SUCCESS, FAILURE, INTERRUPTED = 0, 1, 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
clock = SystemClock()


class Commands(LazyGroup):
    """The commands, with a user's mistakes told without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        named = _tenancy_of([*getattr(ctx, "_protected_args", ()), *ctx.args])
        try:
            return super().invoke(ctx)
        except JobsError as error:
            complain(error.what, style="red")
            if error.advice:
                complain(_COMMAND.sub(lambda found: found[0] + named, error.advice))
            raise typer.Exit(FAILURE) from None
        except KeyboardInterrupt:
            follow = f"'python -m jobs watch{named}' follows it."
            complain(f"Interrupted. What was submitted runs on: {follow}")
            raise typer.Exit(INTERRUPTED) from None


def say(text: str, style: str | None = None) -> None:
    """Print *text* as it is: whoever copies an OCID wants it in one piece."""
    out.print(text, style=style, markup=False, soft_wrap=True)


def note(text: str, style: str | None = None) -> None:
    """Print prose: a terminal breaks it between words, a pipe gets it in one line."""
    out.print(text, style=style, markup=False, soft_wrap=not out.is_terminal)


def _tenancy_of(words: Sequence[str]) -> str:
    """The option as it was given, for the commands that are advised; nothing where it was not."""
    for number, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == _TENANCY and (value := value or "".join(words[number + 1 : number + 2])):
            return f" {_TENANCY} {shlex.quote(value)}"
    return ""


def complain(text: str, style: str | None = None) -> None:
    err.print(text, style=style, markup=False, soft_wrap=True)
