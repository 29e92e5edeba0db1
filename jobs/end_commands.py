"""The commands that end what runs, and delete what was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import definitions, tenancy
from .console import clock, note, out, say
from .errors import DefinitionError, RecordError
from .options import FolderOption, IntervalOption, StepArgument, TenancyOption
from .session import ledger_of, sign_in_to, sign_in_where, with_run
from .views import view

if TYPE_CHECKING:
    from .record import Entry
    from .weights import Leftovers


def cancel_run(
    step: StepArgument,
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    after_checkpoint: Annotated[
        bool,
        typer.Option("--after-checkpoint", help="Ask a training to save one first, and to end."),
    ] = False,
) -> None:
    """Cancel a job that runs."""
    from . import states

    chosen = tenancy.find(tenancy_file)
    records = ledger_of(chosen)
    entry = with_run(records.read().need(step.value))
    sign_in_where(entry)
    now = states.observe(entry)
    if now.ended:
        raise RecordError(f"'{step.value}' has ended already: {now.shown_state}.")
    if after_checkpoint:
        _ask_to_stop(now, folder or chosen.definitions)
        return
    now = states.cancel(now)
    records.put(now)
    if now.ended and now.state != "CANCELED":
        raise RecordError(f"'{step.value}' ended before it was canceled: {now.shown_state}.")
    say(f"{step.value}: {now.shown_state}")


def delete(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    weights: Annotated[
        bool,
        typer.Option(
            "--weights", help="Also checkpoints, adapters and merged models in the bucket."
        ),
    ] = False,
    staged: Annotated[
        bool, typer.Option("--staged", help="Also the staged model and data set; with --weights.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel first what still runs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    interval: IntervalOption = 5.0,
) -> None:
    """Delete the deployment, the model and the jobs of the record; logs stay."""
    from . import weights as bucket

    if staged and not weights:
        raise RecordError("--staged goes with --weights.", "Give both, or neither.")
    chosen = tenancy.find(tenancy_file)
    folder = folder or chosen.definitions
    entries = ledger_of(chosen).read().entries
    leftovers: list[bucket.Leftovers] = []
    mirror: bucket.Leftovers | None = None
    if weights:
        read, pipeline = definitions.read_all(folder), definitions.read_pipeline(folder)
        sign_in_to(pipeline.region)
        leftovers = bucket.find(read, staged=staged)
        mirror = bucket.mirror(pipeline)
    if not entries and not leftovers and not mirror:
        say("Nothing was run; nothing to delete.")
        return
    if not yes:
        if entries:
            say("In OCI: the deployment, the model and the jobs of the record.")
        for each in leftovers:
            say(f"In the bucket: {each}")
        if mirror:
            say(f"In the bucket: the ledger's mirror, {mirror}; the ledger here stays.")
        if weights and not staged:
            say("The staged model and data set stay; --staged takes them too.")
        typer.confirm("Delete this?", abort=True)
    _delete_led(chosen, folder, leftovers, interval, cancel=cancel)
    if mirror:  # when the lead is given back: that is written there too
        bucket.delete(bucket.again(mirror))
        say(f"deleted {mirror}")


def _delete_led(
    chosen: tenancy.Tenancy,
    folder: Path,
    leftovers: list[Leftovers],
    interval: float,
    *,
    cancel: bool,
) -> None:
    """While no other process submits; on this machine only, where there are no definitions."""
    from . import weights as bucket
    from .leading import Leadership
    from .teardown import delete as tear_down
    from .work import open_work

    try:
        work = open_work(folder, chosen.ledger, clock, note)
    except DefinitionError:
        lead = Leadership(chosen.ledger.parent, None, clock, note)
        records = ledger_of(chosen)
    else:
        sign_in_to(work.pipeline.region)
        lead, records = work.leadership, work.ledger
    with lead:
        lead.require()
        entries = records.read().entries
        if entries:
            sign_in_where(*entries.values())
            with view(out, clock, records.read()) as shown:
                tear_down(records, shown, clock, interval, cancel=cancel)
        for each in leftovers:
            bucket.delete(each)
            say(f"deleted {each}")


def _ask_to_stop(entry: Entry, folder: Path) -> None:
    from .runtime_limit import ask_to_stop

    name = Path(entry.definition).stem or entry.step
    uri = ask_to_stop(entry, definitions.read_all(folder)[name])
    say(f"{entry.step}: asked to save a checkpoint and end, by {uri}")
    say("It does so within a minute or two. 'python -m jobs run' goes on from there.")
