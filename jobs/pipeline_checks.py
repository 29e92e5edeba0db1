"""What a schema cannot say of ``pipeline.yaml``: the order of its steps, and what they submit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import Finding

# What each step makes, and whose definition it submits: finetune.yaml, finetune.fallback-1.yaml, …
SUBMITS = {
    "stage": ("job", "stage"),
    "finetune": ("job", "finetune"),
    "merge": ("job", "merge"),
    "register": ("model", "model"),
    "deploy": ("deployment", "deployment"),
    "smoke": ("answer", "deployment"),
}


def findings(content: Mapping[str, Any], beside: Collection[str] | None) -> Iterator[Finding]:
    """What is wrong with a pipeline of the right shape. *beside* are the files that there are."""
    steps = content["spec"]["steps"]
    names = [step["name"] for step in steps]
    for number, step in enumerate(steps):
        for found, message in _step(step, names, number):
            yield ("spec", "steps", number, *found), False, message
        for which, file in enumerate(step["definitions"]):
            if beside is not None and file not in beside:
                path = ("spec", "steps", number, "definitions", which)
                yield path, False, f"there is no '{file}' beside it"


def _step(
    step: Mapping[str, Any], names: list[str], number: int
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    name = step["name"]
    if name in names[:number]:
        yield ("name",), f"a second step '{name}'"
    for which, needed in enumerate(step.get("needs", ())):
        if needed not in names[:number]:
            later = "comes no earlier" if needed in names else "is no step of this pipeline"
            yield ("needs", which), f"'{needed}' {later}; a step needs steps that stand before it"
    kind, own = SUBMITS[name]
    if step["kind"] != kind:
        yield ("kind",), f"found '{step['kind']}'; '{name}' is of kind '{kind}'"
    for which, file in enumerate(step["definitions"]):
        if file.partition(".")[0] != own:
            yield ("definitions", which), f"found '{file}'; '{name}' submits {own}.yaml"
        elif file in step["definitions"][:which]:
            yield ("definitions", which), f"'{file}' stands twice"
