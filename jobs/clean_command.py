"""The command that finds what nobody needs any more, and deletes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from . import tenancy
from .console import clock, complain, note, out, say
from .errors import RecordError
from .leading import Leadership
from .options import FolderOption, IntervalOption, TenancyOption
from .orphans import Orphan, delete, find
from .session import sign_in_to
from .work import open_work


def clean(
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Also orphans that run: cancel them first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs; deletes only with --yes.")
    ] = False,
    interval: IntervalOption = 5.0,
) -> None:
    """List what this tenancy has in OCI and does not need, with what it costs, and delete it.

    That is: what carries the tenancy's tag and is in no ledger entry, what a later submission has
    replaced, models without an artifact, jobs without a run. Nothing else is touched.
    """
    chosen = tenancy.find(tenancy_file)
    tell = complain if as_json else note
    work = open_work(folder or chosen.definitions, chosen.ledger, clock, tell)
    sign_in_to(work.pipeline.region)
    # Whoever leads may be making something that this ledger does not know yet.
    with work.leadership as lead:
        lead.require()
        _need_mirror(lead)
        found = find(work.pipeline, work.ledger)
        if as_json:
            say(json.dumps([_plain(each) for each in found], indent=2))
        else:
            _show(found)
        if found and _agreed(found, yes=yes, as_json=as_json, cancel=cancel):
            for each in found:
                lead.confirm()  # somebody may have thought for long before saying yes
                delete(each, clock, interval, tell)
                tell(f"deleted the {each.kind} {each.id}")


def _need_mirror(lead: Leadership) -> None:
    """Raises :class:`RecordError` where other machines' work cannot be known."""
    if not lead.mirrored:
        where = lead.mirror.folder.uri if lead.mirror else "the bucket"
        raise RecordError(
            f"The ledger's mirror, {where}, does not answer: what another machine has made is not "
            "known here.",
            "Nothing was deleted. Try again when the bucket answers.",
        )


def _show(found: Sequence[Orphan]) -> None:
    if not found:
        say("Nothing to clean: all that this tenancy has in OCI is in its ledger.")
        return
    drawn = Table("what", "step", "state", "age", "list price", "why", box=None, pad_edge=False)
    for each in found:
        price = f"${each.per_hour:.2f}/h" if each.per_hour else ""
        if each.per_hour is None:
            price = "not known"
        age = each.age(clock.now())
        drawn.add_row(each.kind, each.step, each.state, age, price, each.reason)
    out.print(drawn)
    for each in found:
        say(f"  {each.kind:<10} {each.id}  {each.name}")


def _agreed(found: Sequence[Orphan], *, yes: bool, as_json: bool, cancel: bool) -> bool:
    """Raises :class:`RecordError` when one of them runs, and that is not to be ended."""
    if as_json and not yes:
        return False
    running = [each for each in found if each.runs]
    if running and not cancel:
        raise RecordError(
            f"{len(running)} of these run: {', '.join(each.name for each in running)}.",
            "Nothing was deleted. 'python -m jobs clean --cancel' cancels their runs first.",
        )
    if not yes:
        typer.confirm("Delete this?", abort=True)
    return True


def _plain(orphan: Orphan) -> dict[str, object]:
    return {**vars(orphan), "created": orphan.created.isoformat(), "runs": list(orphan.runs)}
