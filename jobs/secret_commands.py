"""The commands for the secrets in the Vault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import tenancy
from .console import say
from .options import TenancyOption


def secret_set(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]", help="Which secret: hf-token.", show_default=False),
    ] = None,
    tenancy_file: TenancyOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read it from here. Default: ask, or a pipe."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option("--env", metavar="VARIABLE", help="Read it from this environment variable."),
    ] = None,
) -> None:
    """Put a token into the deployed vault, anew if one is there. It is never an argument."""
    from . import secret

    if file and env:
        raise typer.BadParameter("give --file or --env, not both", param_hint="--env")
    name = secret.known(words or ())
    chosen = tenancy.find(tenancy_file)
    say(secret.put(chosen, _token(file, env), name))


def _token(file: Path | None, env: str | None) -> str:
    from . import secret

    if file:
        return secret.read_token(file)
    return secret.read_variable(env) if env else secret.ask()
