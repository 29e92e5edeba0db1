"""The command line: ``python -m jobs COMMAND``. ``--help`` of each says what it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import cost, definitions, log_commands, tenancy
from .console import SUCCESS, Commands, clock, note, out, say
from .emit import emit as write_definitions
from .errors import RecordError
from .options import FolderOption, IntervalOption, Step, StepArgument, TenancyOption
from .record import STEPS, Entry, JsonRecords, as_data
from .session import runner_of, sign_in_to, sign_in_where, with_run
from .views import costs, progress, view

if TYPE_CHECKING:
    from .definitions import Definition

app = typer.Typer(
    name="jobs",
    cls=Commands,
    help="Stage, fine-tune, merge, register and deploy, as the emitted definitions say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


secret_app = typer.Typer(help="The Hugging Face token in the Vault.", no_args_is_help=True)
app.add_typer(secret_app, name="secret")


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
def watch(
    step: Annotated[Step | None, typer.Argument(help="Default: the last one submitted.")] = None,
    tenancy_file: TenancyOption = None,
    interval: IntervalOption = 10.0,
) -> None:
    """Follow a submitted step to its end; exits 0 when it ends well and 1 when it does not."""
    from .runner import Runner, latest

    chosen = tenancy.find(tenancy_file)
    records = JsonRecords(chosen.record)
    entry = records.read().need(step.value) if step else latest(records.read())
    sign_in_where(entry)
    with view(out, clock, records.read()) as shown:
        Runner({}, records, shown, clock, interval).finish(entry)
    out.print(progress(records.read(), clock.now()))


@app.command()
def status(
    tenancy_file: TenancyOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="The record only; asks no one.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What was run and how it stands, as OCI says now."""
    chosen = tenancy.find(tenancy_file)
    records = JsonRecords(chosen.record)
    if not offline and records.read().entries:
        from .runner import refresh

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


@app.command()
def predict(
    dialogue: Annotated[
        str | None, typer.Argument(help="Default: a dialogue about cookies.")
    ] = None,
    tenancy_file: TenancyOption = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Read it from here.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1)] = 60.0,
    tokens: Annotated[int, typer.Option("--max-tokens", min=1)] = 80,
    as_json: Annotated[bool, typer.Option("--json", help="The endpoint's whole answer.")] = False,
) -> None:
    """Ask the deployed model for a summary of a dialogue."""
    from . import predict as asking

    chosen = tenancy.find(tenancy_file)
    text = asking.read_dialogue(file) if file else dialogue or asking.DIALOGUE
    entry = JsonRecords(chosen.record).read().need("deploy")
    sign_in_where(entry)
    answer = asking.predict(entry, text, timeout=timeout, tokens=tokens)
    if as_json:
        say(json.dumps(answer.body, indent=2))
        return
    say(f"{answer.text}")
    say(f"{answer.seconds:.2f} s{answer.where}", style="dim")


app.command("logs")(log_commands.logs)
app.command("metrics")(log_commands.metrics)
app.command("report")(log_commands.report)


@app.command("cancel")
def cancel_run(step: StepArgument, tenancy_file: TenancyOption = None) -> None:
    """Cancel a job that runs."""
    from .steps import job

    chosen = tenancy.find(tenancy_file)
    records = JsonRecords(chosen.record)
    entry = with_run(records.read().need(step.value))
    sign_in_where(entry)
    now = job.observe(entry)
    if now.ended:
        raise RecordError(f"'{step.value}' has ended already: {now.shown_state}.")
    now = job.cancel(now)
    records.put(now)
    say(f"{step.value}: {now.shown_state}")


@app.command()
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
    records = JsonRecords(chosen.record)
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


@secret_app.command("set")
def secret_set(
    tenancy_file: TenancyOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read it from here. Default: ask, or a pipe."),
    ] = None,
) -> None:
    """Put the Hugging Face token into the deployed vault, anew if one is there."""
    from . import secret

    chosen = tenancy.find(tenancy_file)
    say(secret.put(chosen, secret.read_token(file) if file else secret.ask()))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        app(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else SUCCESS
    return SUCCESS


def _print_entry(entry: Entry) -> None:
    say(f"{entry.step}: {entry.shown_state}")
    for name, each in entry.ids.items():
        say(f"  {name:<12} {each}")


def _say_cost(chosen: Mapping[str, Definition]) -> None:
    from .runner import DEFINITION_OF

    found = ((step, cost.estimate(chosen[DEFINITION_OF[step]])) for step in STEPS)
    said = "; ".join(f"{step} {estimate}" for step, estimate in found if estimate.shape)
    note(f"At list prices: {said}.")
