"""The commands that write the definitions and check them; they submit nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import cost, definitions, tenancy
from .console import note, out, say
from .emit import changes
from .emit import emit as write_definitions
from .errors import DriftError
from .options import FolderOption, TenancyOption
from .session import sign_in_to
from .views import costs
from .worst_case import worst_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .definitions import Definition
    from .pipeline import Pipeline


def emit(
    tenancy_file: TenancyOption = None,
    outputs: Annotated[
        Path | None,
        typer.Option("--outputs", metavar="FILE", help="Outputs as JSON, instead of Terraform's."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Default: definitions/<tenancy>.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if the files differ.")
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Also to the bucket, for machines without Terraform."),
    ] = False,
) -> None:
    """Write the definitions of the deployed stacks to files, checked."""
    if check and publish:
        raise typer.BadParameter("--check writes nothing, so it does not go with --publish.")
    chosen = tenancy.find(tenancy_file)
    folder = to or chosen.definitions
    if check:
        _compare(chosen, outputs, folder)
        return
    for path in write_definitions(chosen, outputs, folder):
        say(str(path))
    if publish:
        _publish(folder)


def check(tenancy_file: TenancyOption = None, folder: FolderOption = None) -> None:
    """Check the definitions and say what each would cost; submits nothing."""
    chosen = tenancy.find(tenancy_file)
    folder = folder or chosen.definitions
    found = definitions.read_all(folder)
    pipeline = definitions.read_pipeline(folder)
    out.print(costs(found.values()))
    for each in found.values():
        estimated = cost.estimate(each, found)
        if known := estimated.duration:
            note(f"{each.path.name} takes {known.hours:g} h by {known.source}.", style="dim")
        elif estimated.forecast:
            note(f"{each.path.name}: {estimated}.", style="dim")
    note(cost.price_note(), style="dim")
    _say_worst_case(pipeline, found)
    say(f"All definitions in {folder} are in order.")


def _compare(chosen: tenancy.Tenancy, outputs: Path | None, folder: Path) -> None:
    found = changes(chosen, outputs, folder)
    for change in found:
        say(change.difference)
    if found:
        names = ", ".join(change.path.name for change in found)
        raise DriftError(
            f"{folder} is not what {chosen.workbench} emits: {names}.",
            "Write it with 'python -m jobs emit'.",
        )
    say(f"{folder} is what {chosen.workbench} emits.")


def _publish(folder: Path) -> None:
    from .bucket_folder import BucketFolder
    from .publishing import publish

    pipeline = definitions.read_pipeline(folder)
    sign_in_to(pipeline.region)
    place = BucketFolder(pipeline.ledger)
    publish(place, definitions.texts_in(folder))
    say(f"Published below {place.uri}")


def _say_worst_case(pipeline: Pipeline, found: Mapping[str, Definition]) -> None:
    most = worst_case(pipeline, found)
    limit = pipeline.spending_limit
    if most.unknown:
        note(f"At most: nobody can say, for want of {' and '.join(most.unknown)}.")
    else:
        note(
            f"At most ${most.dollars:,.2f}: each step once, on the dearest of its machines, for "
            f"its maximum runtime; the deployment for {most.deployment_hours:g} h."
        )
    if limit is None:
        note("There is no spending limit.")
    elif most.unknown or most.dollars > limit:
        note(
            f"The spending limit is ${limit:,.2f}: a step that could pass it is not submitted.",
            style="yellow",
        )
    else:
        note(f"The spending limit of ${limit:,.2f} covers that.")
