"""What every command prints with, and how mistakes become exit codes."""

from __future__ import annotations

from typing import Any

import typer
import typer.core
from rich.console import Console

from .clock import SystemClock
from .errors import JobsError

SUCCESS, FAILURE, INTERRUPTED = 0, 1, 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
clock = SystemClock()


class Commands(typer.core.TyperGroup):
    """The commands, with a user's mistakes told without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except JobsError as error:
            complain(error.what, style="red")
            if error.advice:
                complain(error.advice)
            raise typer.Exit(FAILURE) from None
        except KeyboardInterrupt:
            complain("Interrupted. What was submitted runs on: 'python -m jobs watch' follows it.")
            raise typer.Exit(INTERRUPTED) from None


def say(text: str, style: str | None = None) -> None:
    """Print *text* as it is: whoever copies an OCID wants it in one piece."""
    out.print(text, style=style, markup=False, soft_wrap=True)


def note(text: str, style: str | None = None) -> None:
    """Print prose: a terminal breaks it between words, a pipe gets it in one line."""
    out.print(text, style=style, markup=False, soft_wrap=not out.is_terminal)


def complain(text: str, style: str | None = None) -> None:
    err.print(text, style=style, markup=False, soft_wrap=True)
