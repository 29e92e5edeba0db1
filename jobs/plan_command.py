"""The command that plans: what a training needs, takes and costs, before anything is deployed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import tenancy
from .console import FAILURE, complain, out, say

if TYPE_CHECKING:
    from sizing.durations import Data

    from .plan_tenancy import Changes, Written
    from .planning import Plan, Wishes

# A pipe has no width: the tables are as wide as their figures. In less than the least width figures
# would be cut.
_WIDTH, _LEAST_WIDTH = 118, 80
# Beyond every data set, and far from where a float ends.
_MOST_ROWS, _MOST_TOKENS = 10**12, 10**9


class Method(StrEnum):
    LORA = "lora"
    FULL = "full"


class Recipe(StrEnum):
    SFT = "sft"
    LLAMA_RECIPES = "llama-recipes"


class By(StrEnum):
    COST = "cost"
    TIME = "time"


def plan(
    tenancy_file: Annotated[
        Path | None, typer.Option("--tenancy", metavar="FILE", help="What is planned for.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="ID", help="Or a config.json, its folder, or oci://…/config.json."
        ),
    ] = None,
    method: Annotated[Method | None, typer.Option("--method", help="What is trained.")] = None,
    recipe: Annotated[Recipe | None, typer.Option("--recipe", help="What trains.")] = None,
    seq: Annotated[int | None, typer.Option("--seq", min=16, help="Tokens of a row.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Rows a GPU.")] = None,
    accumulation: Annotated[
        int | None, typer.Option("--accumulation", min=1, help="Batches of a step.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1)] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Not --epochs.")] = None,
    checkpointing: Annotated[
        bool | None,
        typer.Option("--checkpointing/--no-checkpointing", help="Compute activations twice."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option("--rows", min=1, max=_MOST_ROWS, help="Of the data set.")
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option("--tokens-per-row", min=1, max=_MOST_TOKENS, help="On average."),
    ] = None,
    deadline: Annotated[
        str | None, typer.Option("--deadline", metavar="4h", help="At most so long: 90m, 4h, 1d.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="DOLLARS", min=0.01, help="At most so much.")
    ] = None,
    by: Annotated[By, typer.Option("--by", help="What the ranking is by.")] = By.COST,
    shape: Annotated[str | None, typer.Option("--shape", help="Only this one.")] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, max=64, help="Nodes of --shape.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every number of nodes of every shape.")
    ] = False,
    terms: Annotated[
        bool, typer.Option("--terms", help="The best term by term, and the parts of the time.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the best choice into the tenancy file.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Plan a training and its serving: memory, hours and dollars of every GPU shape.

    It asks nobody, and nothing has to be deployed.
    """
    from . import planning

    if epochs is not None and steps is not None:
        raise typer.BadParameter("--epochs and --steps do not go together.")
    if replicas is not None and shape is None:
        raise typer.BadParameter("--replicas goes with --shape.")
    if as_json and apply:
        raise typer.BadParameter("--json writes nothing, so it does not go with --apply.")
    if model is not None and not model.strip():
        raise typer.BadParameter("--model is empty: name a model, or leave the option out.")
    tenancy.find(tenancy_file)
    options = _options(
        method=method and method.value,
        recipe=recipe and recipe.value,
        max_length=seq,
        batch_size=batch,
        gradient_accumulation=accumulation,
        epochs=epochs,
        max_steps=steps,
        gradient_checkpointing=checkpointing,
    )
    wishes = planning.Wishes(
        deadline=planning.hours_of(deadline) if deadline else None,
        budget=budget,
        by=by.value,
        shape=shape,
        replicas=replicas,
    )
    file = tenancy.file_of(tenancy_file)
    found, changes = _planned(file, model, options, rows, tokens, wishes)
    _show(found, everything=everything, terms=terms, as_json=as_json)
    if found.best is None:
        raise typer.Exit(FAILURE)
    if apply:
        if model is not None and ("model",) not in changes:
            complain(f"{model} is no model that a tenancy file could name: 'model' stays as it is.")
        _apply(found, changes, yes=yes)


def _options(**fields: Any) -> dict[tuple[str, ...], Any]:
    """Those that were given, as changes of the tenancy file; the other length goes."""
    found: dict[tuple[str, ...], Any] = {
        ("finetune", name): value for name, value in fields.items() if value is not None
    }
    if fields["epochs"] is not None:
        found[("finetune", "max_steps")] = None
    if fields["max_steps"] is not None:
        found[("finetune", "epochs")] = None
    return found


def _planned(
    file: Path,
    name: str | None,
    options: Changes,
    rows: int | None,
    tokens: float | None,
    wishes: Wishes,
) -> tuple[Plan, Changes]:
    from . import plan_model, plan_tenancy, planning

    if name is not None and not plan_model.is_config(name):
        options = {("model",): name, **options}
    written = plan_tenancy.read(file, options)
    model = plan_model.model_of(name or written.model_id)
    data = _data(written, rows, tokens)
    if data is None and (wishes.deadline is not None or wishes.budget is not None):
        raise plan_tenancy.PlanError(
            f"How long it takes can't be said: the size of {written.dataset} is not known here.",
            "Say how big it is with --rows and --tokens-per-row.",
        )
    return planning.plan(written, model, data, wishes), options


def _data(written: Written, rows: int | None, tokens: float | None) -> Data | None:
    from sizing.durations import Data, known_data

    known = known_data().get(written.dataset)
    if rows is None and tokens is None:
        return known
    if known is None and (rows is None or tokens is None):
        raise typer.BadParameter("--rows and --tokens-per-row go together: the data is not known.")
    return Data(
        name=written.dataset,
        rows=rows or (known.rows if known else 0),
        tokens=tokens or (known.tokens if known else 0),
        source="--rows, --tokens-per-row",
    )


def _show(found: Plan, *, everything: bool, terms: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from . import plan_view

    if as_json:
        from .plan_json import as_json as written

        say(written(found))
        return
    wide = out.is_terminal and out.width >= _LEAST_WIDTH
    width = _LEAST_WIDTH if out.is_terminal else _WIDTH
    console = out if wide else Console(width=width, highlight=False)
    for each in plan_view.page(found, everything=everything, terms=terms):
        console.print(each, soft_wrap=isinstance(each, Text) and not wide)
    for line in found.written.unfit:
        complain(f"As it is, the file is refused: {line}", style="yellow")


def _apply(found: Plan, options: Changes, *, yes: bool) -> None:
    from . import plan_apply

    assert found.best is not None
    step = found.training.batch_size * found.training.accumulation * found.present.gpus
    made = plan_apply.applied(found, found.best, options, step)
    if not made.changes:
        say(f"{made.file} says that already.")
        return
    say("")
    say(made.difference)
    for each in made.notes:
        say(each)
    if not yes:
        typer.confirm(f"Write {made.file}?", abort=True)
    plan_apply.write(made)
    say(f"Written: {made.file}. 'python -m jobs emit' takes it over once the stacks are applied.")
