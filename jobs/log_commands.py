"""The commands that read what a step tells: its log, and the figures in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from . import curves, tenancy
from .console import clock, out, say
from .metrics import EVAL, TRAIN, Curve, Point, for_json
from .options import FolderOption, IntervalOption, StepArgument, TenancyOption
from .record import Entry
from .run_log import LogLine, Reader
from .session import ledger_of, sign_in_where, with_run

_AGO = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def logs(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    lines: Annotated[int, typer.Option("--lines", min=1, help="The last so many.")] = 100,
    node: Annotated[
        int | None, typer.Option("--node", min=0, help="Of one node: its rank.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="10m, 1h, 2d, or a time in ISO 8601."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the step ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    interval: IntervalOption = 10.0,
) -> None:
    """Print the log of a job's run, all nodes' lines together; of a deployment, its access and
    predict logs."""
    from . import states

    began = _moment(since, clock.now()) if since else None
    chosen = tenancy.find(tenancy_file)
    entry = _with_log(ledger_of(chosen).read().need(step.value))
    sign_in_where(entry)
    reader = Reader(node, began)
    while True:
        over = states.observe(entry).ended if follow else True
        for line in reader.new(entry, lines):
            say(json.dumps(asdict(line)) if as_json else _shown(line))
        if over and not (follow and entry.kind == "deployment"):
            return
        clock.sleep(interval)


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
        say(json.dumps([for_json(point.values) for point in found.all()], indent=2))
        return
    if not found.all():
        say(f"'{step.value}' has told no figures.")
        return
    out.print(_table(found))
    say(found.summary(), style="cyan")


def _with_log(entry: Entry) -> Entry:
    if "deployment" in entry.ids:
        return entry
    return with_run(entry)


def _shown(line: LogLine) -> str:
    label = f"{line.label} | " if line.label else ""
    return f"{line.time} {label}{line.said}"


def _moment(text: str, now: datetime) -> datetime:
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is no time: say 10m, 1h, 2d, or a time such as 2026-11-22T12:00.",
            param_hint="--since",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
