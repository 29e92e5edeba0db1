"""How a plan looks: what is planned, the present choice term by term, the ranking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from .cost import price_note
from .plan_figures import BEST, PRESENT, STYLES, dollars, gib, gibs, grid, hours
from .plan_serving_view import served
from .planning import best_of_each, nearest

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sizing.choices import Choice
    from sizing.training import Training

    from .planning import Plan


def page(plan: Plan, *, everything: bool = False, terms: bool = False) -> Iterator[RenderableType]:
    """The whole plan, top to bottom. *everything*: each number of nodes of each shape; *terms*:
    also those of the best choice, and the parts of the time."""
    yield from (Text(line) for line in head(plan))
    yield from _choice_in_full("As the tenancy file says", plan.present, parts=terms)
    if terms and plan.best is not None and not plan.is_present(plan.best):
        yield from _choice_in_full("The best", plan.best, parts=True)
    yield from _ranking(plan, plan.ranking if everything else _shown(plan))
    yield Text(rule(plan))
    yield Text("")
    yield from served(plan)
    yield from (Text(line, style="dim") for line in sources())


def head(plan: Plan) -> Iterator[str]:
    """What is planned, in three lines, and what is not known."""
    model, data = plan.model, plan.data
    yield f"Plan for {plan.written.file}, before anything is paid for"
    yield f"model     {model.name}, {_count(model.parameters)} parameters"
    yield f"training  {training_words(plan.training)}"
    if data is None:
        yield f"data      {plan.written.dataset}: its size is not known here"
        yield (
            "Hours and dollars are unknown until --rows and --tokens-per-row say how many rows it "
            "has, and of how many tokens on average."
        )
    else:
        yield f"data      {data.name}: {data.rows:,} rows of {data.tokens:,.0f} tokens on average"


def training_words(training: Training) -> str:
    """How it is trained, in a line."""
    what = "every parameter"
    if training.method == "lora":
        what = f"LoRA of rank {training.lora_rank} on {len(training.lora_targets)} layers"
    length = (
        f"{training.max_steps:,} steps" if training.max_steps else f"{training.epochs:g} epochs"
    )
    each = "1 row" if training.batch_size == 1 else f"{training.batch_size} rows"
    rows = f"{each} of {training.max_length:,} tokens a GPU"
    parts = [f"{what} by {training.recipe}", training.precision, rows]
    if training.accumulation > 1:
        parts.append(f"{training.accumulation} batches a step")
    parts.append("packed" if training.packing else "not packed")
    recomputed = "activations computed twice" if training.checkpointing else "activations kept"
    return ", ".join([*parts, recomputed, length])


def rule(plan: Plan) -> str:
    """Where Oracle's rule of thumb and the plan part ways, in a line."""
    found, needed = plan.rule, 4 * plan.rule.model_gb
    if found.fits is not None:
        planned = f"{found.fits} {_are(found.fits)} the fewest on which it fits"
    elif found.tight is not None:
        planned = f"{found.tight} {_are(found.tight)} the fewest that can do, and tight"
    else:
        planned = "no number of them is enough"
    if found.tight is not None and found.fits is not None and found.tight < found.fits:
        planned += f", and {found.tight} {_are(found.tight)} tight"
    return (
        f"The 4x rule (GPU memory of 4 times the model in full precision: 4 x "
        f"{found.model_gb:,.1f} = {needed:,.0f} GB) asks for {found.nodes} x {found.shape.name}, "
        f"whatever is trained; by this plan {planned}."
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def verdict(plan: Plan) -> str:
    """What is best, or that nothing meets what was asked for and what comes nearest."""
    wishes = plan.wishes
    if plan.best is not None:
        same = " That is what the tenancy file says." if plan.is_present(plan.best) else ""
        return f"Best by {wishes.by}: {_of(plan.best)}{_takes(plan.best)}.{same}"
    near = nearest(plan)
    if near is None:
        first = plan.ranking[0]
        if wishes.shape is not None or first.fit.verdict != "does not fit":
            return f"Nothing can be had. {_of(first)}: {first.refused}."
        return "Nothing fits: no number of nodes of any shape looked at holds this training."
    limits = [f"{wishes.deadline:g} h"] if wishes.deadline is not None else []
    limits += [f"${wishes.budget:,.2f}"] if wishes.budget is not None else []
    asked = f"Nothing stays within {' and '.join(limits)}." if limits else "Nothing can be had."
    return f"{asked} The nearest is {_of(near)}{_takes(near)}: {near.refused}."


def sources() -> Iterator[str]:
    yield price_note()
    yield "Figures are expected (from-to). docs/sizing.md explains each figure."


def _choice_in_full(title: str, one: Choice, *, parts: bool) -> Iterator[RenderableType]:
    yield Text("")
    gpus = "1 GPU" if one.gpus == 1 else f"{one.gpus} GPUs"
    yield Text(f"{title}: {_of(one)}, {gpus} of {one.shape.gpu_memory_gb:g} GB")
    if one.memory.moment:
        yield Text(f"A GPU's fullest moment of a step: {one.memory.moment}.", style="dim")
    drawn = grid(("memory of a GPU", "left"), ("GiB", "right"), ("why", "wrap"))
    for term in one.memory.terms:
        drawn.add_row(term.name, gib(term.bytes), term.why)
    total = one.memory.total
    drawn.add_row("all", gib(total.expected), f"{gib(total.low)} to {gib(total.high)}", style="b")
    yield drawn
    yield Text(f"{one.fit.verdict}: {one.fit.why}", style=STYLES[one.fit.verdict])
    if one.duration is not None:
        yield Text(
            f"{one.duration.steps:,} steps, {one.duration.tokens / 1e6:,.1f} million tokens; "
            f"hours {hours(one.duration.hours)}; dollars {dollars(one.dollars)}"
        )
        if parts:
            times = grid(("time", "left"), ("hours", "right"), ("why", "wrap"))
            for part in one.duration.parts:
                times.add_row(part.name, hours(part.hours), part.why)
            yield times
    if one.refused and one.fit.verdict != "does not fit":
        yield Text(f"It is no choice: {one.refused}.", style="yellow")


def _shown(plan: Plan) -> list[Choice]:
    """The best of each shape, and what the tenancy file says, where it stands among them."""
    best = best_of_each(plan.ranking)
    return [one for one in plan.ranking if one in best or plan.is_present(one)]


def _ranking(plan: Plan, rows: Sequence[Choice]) -> Iterator[RenderableType]:
    ok = [one for one in rows if not one.refused]
    if not plan.present.refused and not any(plan.is_present(one) for one in ok):
        ok.append(plan.present)
    refused = [one for one in rows if one.refused]
    if ok:
        drawn = grid(
            *((f"ranked by {plan.wishes.by}", "left"), ("GPUs", "right"), ("GiB a GPU", "wrap")),
            *(("", "left"), ("hours", "wrap"), ("dollars", "wrap")),
        )
        for one in ok:
            drawn.add_row(*_row(plan, one))
        yield Text("")
        yield drawn
        yield Text(f"{BEST} the best   {PRESENT} what the tenancy file says", style="dim")
    if refused:
        drawn = grid(("no choice", "left"), ("why", "wrap"))
        for one in refused:
            drawn.add_row(f"  {_of(one)}", one.refused)
        yield Text("")
        yield drawn
    yield Text("")
    yield Text(verdict(plan), style="" if plan.best else "red")


def _row(plan: Plan, one: Choice) -> Iterator[RenderableType]:
    best = BEST if one == plan.best else " "
    present = PRESENT if plan.is_present(one) else " "
    yield f"{best}{present} {_of(one)}"
    yield str(one.gpus)
    total = one.memory.total
    yield f"{gibs(total)} of {gib(one.shape.gpu_memory)}"
    yield Text(one.fit.verdict, style=STYLES[one.fit.verdict])
    yield hours(one.duration.hours if one.duration else None)
    yield dollars(one.dollars) if one.duration else _by_the_hour(one)


def _count(number: int) -> str:
    return f"{number / 1e9:,.2f} billion" if number >= 1e9 else f"{number / 1e6:,.1f} million"


def _of(one: Choice) -> str:
    return f"{one.replicas} x {one.shape.name}"


def _takes(one: Choice) -> str:
    if one.duration is None:
        return f", {_by_the_hour(one)}"
    return f", hours {hours(one.duration.hours)}, dollars {dollars(one.dollars)}"


def _by_the_hour(one: Choice) -> str:
    price = one.shape.price_per_hour
    return "?" if price is None else f"${price * one.replicas:,.2f}/h"
