"""The commands that read what a job run tells: its log, and the figures in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from . import curves, tenancy
from .console import clock, out, say
from .metrics import EVAL, TRAIN, Curve, Point
from .options import FolderOption, StepArgument, TenancyOption
from .session import ledger_of, sign_in_where, with_run


def logs(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    lines: Annotated[int, typer.Option("--lines", min=1, max=1000, help="The last so many.")] = 100,
) -> None:
    """Print the log of a job's run."""
    from .run_log import tail

    chosen = tenancy.find(tenancy_file)
    entry = with_run(ledger_of(chosen).read().need(step.value))
    sign_in_where(entry)
    for line in tail(entry, lines):
        say(f"{line.time} {line.text}")


def metrics(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print the loss and the speed that a training has told, step by step."""
    chosen = tenancy.find(tenancy_file)
    entry = with_run(ledger_of(chosen).read().need(step.value))
    sign_in_where(entry)
    found = curves.curve_of(entry, folder or chosen.definitions)
    if as_json:
        say(json.dumps([dict(point.values) for point in found.all()], indent=2))
        return
    if not found.all():
        say(f"'{step.value}' has told no figures.")
        return
    out.print(_table(found))
    say(found.summary(), style="cyan")


def report(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The HTML file to write.")],
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
) -> None:
    """Write one HTML file with the steps and the loss curve; it loads nothing."""
    from .files import write_atomically
    from .report import page

    chosen = tenancy.find(tenancy_file)
    run = ledger_of(chosen).read()
    trained = with_run(run.need("finetune"))
    sign_in_where(trained)
    found = curves.curve_of(trained, folder or chosen.definitions)
    points = [dict(point.values) for point in found.all()]
    write_atomically(to, page(f"tunestack: {chosen.name}", run, points, clock.now()))
    say(str(to))


def _table(found: Curve) -> Table:
    evaluated = {point.step: point for point in found.of(EVAL)}
    train = {point.step: point for point in found.of(TRAIN)}
    drawn = Table(box=None, pad_edge=False)
    for heading in ("step", "loss", "eval loss", "tok/s", "GPU GB"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for number in sorted(evaluated.keys() | train.keys()):
        drawn.add_row(str(number), *_row(train.get(number), evaluated.get(number)))
    return drawn


def _row(train: Point | None, evaluated: Point | None) -> tuple[str, str, str, str]:
    speed = train.speed if train else None
    memory = train.values.get("gpu_memory_gb") if train else None
    return (
        f"{train.loss:.4f}" if train else "",
        f"{evaluated.loss:.4f}" if evaluated else "",
        f"{speed:,.0f}" if speed is not None else "",
        f"{memory:.1f}" if isinstance(memory, int | float) else "",
    )
