"""How the serving of a plan looks: where the model can be served, the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from .plan_figures import BEST, PRESENT, STYLES, gib, grid

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sizing.serving import Serving

    from .planning import Plan

_MOST_SERVED = 6


def served(plan: Plan) -> Iterator[RenderableType]:
    """Every shape that is worth a line, and what the tenancy file says."""
    drawn = grid(
        *(("serving", "left"), ("GPUs", "right"), ("weights GiB", "right"), ("longest", "right")),
        *(("at once", "right"), ("$/h", "right"), ("", "wrap")),
    )
    shown = list(plan.servings[:_MOST_SERVED])
    if all(replace(each, options=plan.served.options) != plan.served for each in shown):
        shown.append(plan.served)
    for each in shown:
        drawn.add_row(*_served_row(plan, each))
    yield drawn
    yield Text(
        f"at once: requests of {plan.served.max_model_len:,} tokens that the KV cache holds; "
        "longest: the largest --max-model-len that starts.",
        style="dim",
    )
    yield Text(
        f"{plan.served.kv_per_token / 1024:,.0f} KiB of KV cache a token and GPU on "
        f"{plan.served.shape.name}: {plan.served.fit.why}.",
        style=STYLES[plan.served.fit.verdict],
    )
    if unclear := plan.served.options.unclear:
        yield Text(
            f"This is a guess: serving.extra_args has {', '.join(unclear)}, whose effect on memory "
            "is not computed.",
            style="yellow",
        )


def _served_row(plan: Plan, each: Serving) -> Iterator[RenderableType]:
    best = BEST if each is plan.servings[0] and each.fit.verdict == "fits" else " "
    same = each.shape.name == plan.served.shape.name
    present = PRESENT if same and each.tensor_parallel == plan.served.tensor_parallel else " "
    yield f"{best}{present} {each.shape.name}"
    yield f"{each.tensor_parallel} of {each.shape.gpus}"
    yield gib(each.weights)
    yield f"{each.longest:,}" if each.longest else "-"
    yield _at_once(each)
    yield f"{each.dollars_per_hour:,.2f}" if each.dollars_per_hour is not None else "?"
    yield Text(each.fit.verdict, style=STYLES[each.fit.verdict])


def _at_once(each: Serving) -> str:
    """``4.5 (4.2-4.7)``"""
    if each.fit.verdict == "does not fit" or not each.kv_tokens.expected:
        return "-"
    found = each.kv_tokens.times(each.concurrency / each.kv_tokens.expected)
    return f"{found.expected:,.1f} ({found.low:,.1f}-{found.high:,.1f})"
