"""The commands for the Hugging Face token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import tenancy
from .console import say
from .options import TenancyOption


def secret_set(
    tenancy_file: TenancyOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read it from here. Default: ask, or a pipe."),
    ] = None,
) -> None:
    """Put the Hugging Face token into the deployed vault, anew if one is there."""
    from . import secret

    chosen = tenancy.find(tenancy_file)
    say(secret.put(chosen, secret.read_token(file) if file else secret.ask()))
