"""What every command prints with, and how mistakes become exit codes."""

from __future__ import annotations

import re
import shlex
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from .clock import SystemClock
from .errors import JobsError
from .lazy import LazyGroup

_TENANCY = "--tenancy"
# A command of ours in an advice, up to its closing quote.
_COMMAND = re.compile(r"python -m jobs( [a-z]+)+(?=')")

_ENDS = (signal.SIGTERM, signal.SIGHUP)

SUCCESS, FAILURE, INTERRUPTED = 0, 1, 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
clock = SystemClock()


class Commands(LazyGroup):
    """The commands, with a user's mistakes told without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        named = _tenancy_of([*getattr(ctx, "_protected_args", ()), *ctx.args])
        try:
            with ended_like_ctrl_c():
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


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Meanwhile a SIGTERM (a cancelled CI job) or SIGHUP (a closed terminal) does what Ctrl-C does:
    the lead is given back, and the next machine need not wait until it runs out. One that is
    ignored (``nohup``) stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owned = [each for each in _ENDS if signal.getsignal(each) is signal.SIG_DFL]
    for each in owned:
        signal.signal(each, signal.default_int_handler)
    try:
        yield
    finally:
        for each in owned:
            signal.signal(each, signal.SIG_DFL)


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
