"""The commands that write definitions, check them, and submit what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import cost, definitions, tenancy
from .console import clock, note, out, say
from .emit import emit as write_definitions
from .options import FolderOption, IntervalOption, StepArgument, TenancyOption
from .record import STEPS, Entry
from .session import runner_of
from .views import costs, progress

if TYPE_CHECKING:
    from .definitions import Definition


def emit(
    tenancy_file: TenancyOption = None,
    outputs: Annotated[
        Path | None,
        typer.Option("--outputs", metavar="FILE", help="Outputs as JSON, instead of Terraform's."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Default: definitions/<tenancy>.")
    ] = None,
) -> None:
    """Write the definitions of the deployed stacks to files, checked."""
    chosen = tenancy.find(tenancy_file)
    for path in write_definitions(chosen, outputs, to or chosen.definitions):
        say(str(path))


def check(tenancy_file: TenancyOption = None, folder: FolderOption = None) -> None:
    """Check the definitions and say what each would cost; submits nothing."""
    chosen = tenancy.find(tenancy_file)
    folder = folder or chosen.definitions
    found = definitions.read_all(folder)
    out.print(costs(found.values()))
    for each in found.values():
        if known := cost.estimate(each).duration:
            note(f"{each.path.name} takes {known.hours:g} h by {known.source}.", style="dim")
    note(cost.price_note(), style="dim")
    say(f"All definitions in {folder} are in order.")


def submit(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
) -> None:
    """Submit one step and return without waiting for it."""
    chosen = tenancy.find(tenancy_file)
    with runner_of(chosen, folder, 10.0) as runner:
        entry = runner.submit(step.value)
    _print_entry(entry)


def run(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Every step anew.")] = False,
    interval: IntervalOption = 10.0,
) -> None:
    """Stage, fine-tune, merge, register and deploy in order, from where the record stands."""
    chosen = tenancy.find(tenancy_file)
    with runner_of(chosen, folder, interval) as runner:
        _say_cost(runner.definitions)
        done = runner.run(fresh=fresh)
    out.print(progress(done, clock.now()))
    named = f" --tenancy {tenancy_file}" if tenancy_file else ""
    say(f"Ask it: python -m jobs predict{named}")


def _print_entry(entry: Entry) -> None:
    say(f"{entry.step}: {entry.shown_state}")
    for name, each in entry.ids.items():
        say(f"  {name:<12} {each}")


def _say_cost(chosen: Mapping[str, Definition]) -> None:
    from .runner import DEFINITION_OF

    found = ((step, cost.estimate(chosen[DEFINITION_OF[step]])) for step in STEPS)
    said = "; ".join(f"{step} {estimate}" for step, estimate in found if estimate.shape)
    note(f"At list prices: {said}.")
