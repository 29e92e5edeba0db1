"""The commands that submit what the definitions say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from . import cost, tenancy
from .console import clock, note, out, say
from .fingerprints import definition_of
from .options import FolderOption, IntervalOption, StepArgument, TenancyOption
from .record import Entry
from .session import work_of
from .views import progress

if TYPE_CHECKING:
    from .definitions import Definition
    from .pipeline import Pipeline


NoPreflightOption = Annotated[
    bool,
    typer.Option("--no-preflight", help="Submit without a look at what could fail first."),
]


def submit(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    no_preflight: NoPreflightOption = False,
) -> None:
    """Submit one step and return without waiting for it."""
    chosen = tenancy.find(tenancy_file)
    with work_of(chosen, folder) as (work, shown):
        entry = work.submit(shown, step.value, preflight=not no_preflight)
    _print_entry(entry)


def run(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Every step anew.")] = False,
    no_preflight: NoPreflightOption = False,
    interval: IntervalOption = 10.0,
) -> None:
    """Stage, fine-tune, merge, register, deploy and ask, in order, from where the ledger stands.

    Looks first at what could fail ('preflight'), and submits nothing where something would. Where
    another process does so already, on whichever machine, this one follows it to its end.
    """
    chosen = tenancy.find(tenancy_file)
    with work_of(chosen, folder) as (work, shown):
        _say_cost(work.pipeline, work.definitions)
        done = work.run(shown, interval, fresh=fresh, preflight=not no_preflight)
    out.print(progress(done, clock.now()))
    named = f" --tenancy {tenancy_file}" if tenancy_file else ""
    say(f"Ask it: python -m jobs predict{named}")


def _print_entry(entry: Entry) -> None:
    say(f"{entry.step}: {entry.shown_state}")
    for name, each in entry.ids.items():
        say(f"  {name:<12} {each}")


def _say_cost(pipeline: Pipeline, chosen: Mapping[str, Definition]) -> None:
    made = (step for step in pipeline if step.kind != "answer")
    found = ((step.name, cost.estimate(definition_of(step, chosen), chosen)) for step in made)
    said = "; ".join(f"{step} {estimate}" for step, estimate in found if estimate.shape)
    note(f"At list prices: {said}.")
