"""The command that looks at all that could fail, and submits nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from . import definitions, tenancy
from .console import FAILURE, clock, err, note, out, say
from .ledger import Ledger
from .options import FolderOption, TenancyOption
from .preflight import view
from .preflight.check import State
from .preflight.checks import all_checks
from .preflight.looking import look
from .preflight.subject_of import subject_of

if TYPE_CHECKING:
    from .preflight.check import Check


def preflight(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only what asks nobody over a network.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Only this check; may be given repeatedly."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="As for 'run --fresh': every step, done or not.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at everything that could fail before a GPU starts; submits and creates nothing.

    Looks at what is still to run. The exit code is 1 where a check fails, which 'run' refuses too.
    """
    chosen = tenancy.find(tenancy_file)
    checks = _chosen(only or [])
    folder = folder or chosen.definitions
    began = time.monotonic()
    found, pipeline = definitions.read_all(folder), definitions.read_pipeline(folder)
    subject = subject_of(pipeline, found, Ledger(chosen.ledger, clock), clock, fresh=fresh)
    with view.progress(err, checks) as told:
        answers = look(checks, subject, offline=offline, told=told)
    took = time.monotonic() - began
    if as_json:
        say(json.dumps(view.for_programs(chosen.name, answers, took), indent=2))
    else:
        for line in view.lines(answers):
            out.print(line, soft_wrap=True)
        note(f"{view.summary(answers, took)}.")
        if not subject.steps:
            note("Every step was run: '--fresh' looks at them all the same.")
    if view.worst(answers) is State.FAIL:
        raise typer.Exit(FAILURE)


def _chosen(only: list[str]) -> list[Check]:
    checks = all_checks()
    names = [check.name for check in checks]
    if unknown := [name for name in only if name not in names]:
        raise typer.BadParameter(
            f"There is no check {', '.join(unknown)}. There are: {', '.join(names)}."
        )
    return [check for check in checks if not only or check.name in only]
