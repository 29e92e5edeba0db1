"""The commands that say what was run, and how it stands."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from . import cost, history, status, tenancy
from .console import clock, note, out, say
from .errors import RecordError, RefusedError
from .ledger import Ledger
from .options import FolderOption, TenancyOption
from .pipeline import Pipeline
from .record import Entry
from .session import leadership_of, ledger_of, sign_in_to, sign_in_where
from .views import STYLES, grid

if TYPE_CHECKING:
    from .leading import Leadership

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def show_status(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="The ledger only; asks no one.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Of all tenancies in this folder.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What was run and how it stands, as OCI says now."""
    if every:
        _all(offline=offline, as_json=as_json)
        return
    chosen = tenancy.find(tenancy_file)
    ledger = ledger_of(chosen)
    pipeline = status.pipeline_in(folder or chosen.definitions)
    leadership = leadership_of(chosen, None if offline else pipeline)
    if not offline and (leadership.mirror or ledger.pipelines()):
        _refresh(ledger, pipeline, leadership)
    limit = pipeline.spending_limit if pipeline else None
    found, leader = status.current(ledger, clock.now()), leadership.leader()
    if as_json:
        say(json.dumps(status.for_programs(chosen.name, found, limit, leader), indent=2))
        return
    out.print(status.shown(found, limit, clock.now(), leader))
    for entry in found.run.entries.values() if found else ():
        _print_made(entry)
    note(cost.price_note(), style="dim")


def show_history(
    number: Annotated[
        int | None, typer.Argument(metavar="[PIPELINE]", help="The events of that one.")
    ] = None,
    tenancy_file: TenancyOption = None,
    as_json: JsonOption = False,
) -> None:
    """All pipelines that were run: how each ended, what it ran anew, what it cost; or the events
    of one."""
    ledger = ledger_of(tenancy.find(tenancy_file))
    if number is None:
        _pipelines(ledger, as_json=as_json)
        return
    if number not in {each.number for each in ledger.pipelines()}:
        raise RecordError(
            f"There is no pipeline {number}.", "'python -m jobs history' lists those that are."
        )
    events = ledger.events(number)
    if as_json:
        told = [
            {
                "number": event.number,
                "at": event.at.isoformat(),
                "step": event.step,
                "name": event.name,
                "details": history.details(event),
            }
            for event in events
        ]
        say(json.dumps(told, indent=2))
        return
    for at, step, words in history.timeline(events):
        say(f"{_stamp(at)} {step:<9} {words}")


def _pipelines(ledger: Ledger, *, as_json: bool) -> None:
    found = history.summaries(ledger, clock.now())
    if as_json:
        say(json.dumps([each.as_data() for each in found], indent=2))
        return
    if not found:
        say("Nothing was run yet.")
        return
    drawn = grid("no.", "began", "state", "took", "list price", "ran")
    for each in found:
        drawn.add_row(
            str(each.pipeline.number),
            _stamp(each.pipeline.began),
            Text(each.outcome, style=STYLES.get(each.pipeline.state, "yellow")),
            status.took(each.duration),
            f"${each.spent:,.2f}",
            _ran(each),
        )
    out.print(drawn)


def _ran(found: history.Summary) -> str:
    """The steps that it ran itself, with their attempts."""
    counts = {step: found.attempts.get(step, 1) for step in found.anew}
    told = (f"{step} ({count} attempts)" if count > 1 else step for step, count in counts.items())
    return ", ".join(told) or "nothing anew"


def _all(*, offline: bool, as_json: bool) -> None:
    from .overview import ledgers

    found = ledgers(clock)
    for name, ledger in found.items() if not offline else ():
        chosen = tenancy.Tenancy(name)
        pipeline = status.pipeline_in(chosen.definitions)
        _refresh(ledger, pipeline, leadership_of(chosen, pipeline))
    summed = {name: status.current(ledger, clock.now()) for name, ledger in found.items()}
    if as_json:
        told = [
            status.for_programs(
                name, each, status.spending_limit(tenancy.Tenancy(name).definitions)
            )
            for name, each in summed.items()
        ]
        say(json.dumps(told, indent=2))
        return
    if not found:
        say("Nothing was run in this folder.")
        return
    out.print(status.of_all(summed))


def _refresh(ledger: Ledger, pipeline: Pipeline | None, leadership: Leadership) -> None:
    """Write down what other machines have run, and how the entries stand in OCI now."""
    from .overview import Observer

    if pipeline is not None:
        sign_in_to(pipeline.region)
        with suppress(RefusedError):  # how the entries stand matters more
            leadership.pull()
    entries = list(ledger.read().entries.values())
    if not entries:
        return
    if pipeline is None:
        sign_in_where(*entries)
    for before, now in zip(entries, Observer(clock).observe(entries), strict=True):
        stored = ledger.read().get(before.step)
        if now != before and stored is not None and stored.ids == before.ids:
            ledger.put(now)


def _print_made(entry: Entry) -> None:
    artifact = {"artifact": entry.details} if entry.kind == "model" else {}
    for name, each in {**entry.ids, **artifact}.items():
        say(f"  {entry.step:<9} {name:<12} {each}")


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
