"""The commands that follow what was submitted."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from . import cost, tenancy
from .console import clock, note, out, say
from .options import IntervalOption, Step, TenancyOption
from .record import as_data
from .session import ledger_of, sign_in_where
from .views import progress, view


def watch(
    step: Annotated[Step | None, typer.Argument(help="Default: the last one submitted.")] = None,
    tenancy_file: TenancyOption = None,
    interval: IntervalOption = 10.0,
) -> None:
    """Follow a submitted step to its end; exits 0 when it ends well and 1 when it does not."""
    from .runner import Runner
    from .states import latest

    chosen = tenancy.find(tenancy_file)
    records = ledger_of(chosen)
    entry = records.read().need(step.value) if step else latest(records.read())
    sign_in_where(entry)
    with view(out, clock, records.read()) as shown:
        Runner({}, records, shown, clock, interval).finish(entry)
    out.print(progress(records.read(), clock.now()))


def status(
    tenancy_file: TenancyOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="The record only; asks no one.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What was run and how it stands, as OCI says now."""
    chosen = tenancy.find(tenancy_file)
    records = ledger_of(chosen)
    if not offline and records.read().entries:
        from .states import refresh

        sign_in_where(*records.read().entries.values())
        refresh(records)
    found = records.read()
    if as_json:
        say(json.dumps(as_data(found), indent=2))
        return
    out.print(progress(found, clock.now()))
    for entry in found.entries.values():
        artifact = {"artifact": entry.details} if entry.kind == "model" else {}
        for name, each in {**entry.ids, **artifact}.items():
            say(f"  {entry.step:<9} {name:<12} {each}")
    note(cost.price_note(), style="dim")
