"""The commands that end what runs, and delete what was made."""

from __future__ import annotations

from typing import Annotated

import typer

from . import definitions, tenancy
from .console import clock, out, say
from .errors import RecordError
from .options import FolderOption, IntervalOption, StepArgument, TenancyOption
from .session import ledger_of, sign_in_to, sign_in_where, with_run
from .views import view


def cancel_run(step: StepArgument, tenancy_file: TenancyOption = None) -> None:
    """Cancel a job that runs."""
    from . import states

    chosen = tenancy.find(tenancy_file)
    records = ledger_of(chosen)
    entry = with_run(records.read().need(step.value))
    sign_in_where(entry)
    now = states.observe(entry)
    if now.ended:
        raise RecordError(f"'{step.value}' has ended already: {now.shown_state}.")
    now = states.cancel(now)
    records.put(now)
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
    from .teardown import delete as tear_down

    if staged and not weights:
        raise RecordError("--staged goes with --weights.", "Give both, or neither.")
    chosen = tenancy.find(tenancy_file)
    records = ledger_of(chosen)
    entries = records.read().entries
    leftovers: list[bucket.Leftovers] = []
    if weights:
        read = definitions.read_all(folder or chosen.definitions)
        sign_in_to(read["finetune"].region)
        leftovers = bucket.find(read, staged=staged)
    if not entries and not leftovers:
        say("Nothing was run; nothing to delete.")
        return
    if not yes:
        if entries:
            say("In OCI: the deployment, the model and the jobs of the record.")
        for each in leftovers:
            say(f"In the bucket: {each}")
        if weights and not staged:
            say("The staged model and data set stay; --staged takes them too.")
        typer.confirm("Delete this?", abort=True)
    if entries:
        sign_in_where(*entries.values())
        with view(out, clock, records.read()) as shown:
            tear_down(records, shown, clock, interval, cancel=cancel)
    for each in leftovers:
        bucket.delete(each)
        say(f"deleted {each}")
