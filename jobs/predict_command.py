"""The command that asks the deployed model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import tenancy
from .console import say
from .options import TenancyOption
from .session import ledger_of, sign_in_where


def predict(
    dialogue: Annotated[
        str | None, typer.Argument(help="Default: a dialogue about cookies.")
    ] = None,
    tenancy_file: TenancyOption = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Read it from here.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1)] = 60.0,
    tokens: Annotated[int, typer.Option("--max-tokens", min=1)] = 80,
    as_json: Annotated[bool, typer.Option("--json", help="The endpoint's whole answer.")] = False,
) -> None:
    """Ask the deployed model for a summary of a dialogue."""
    from . import predict as asking

    chosen = tenancy.find(tenancy_file)
    text = asking.read_dialogue(file) if file else dialogue or asking.DIALOGUE
    entry = ledger_of(chosen).read().need("deploy")
    sign_in_where(entry)
    answer = asking.predict(entry, text, timeout=timeout, tokens=tokens)
    if as_json:
        say(json.dumps(answer.body, indent=2))
        return
    say(f"{answer.text}")
    say(f"{answer.seconds:.2f} s{answer.where}", style="dim")
