"""What differs between the repository and the tenancy, and nobody meant to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .comment import DRIFT, marker, tables
from .errors import GitopsError
from .markdown import Section, code, page
from .planning import StackPlan, plan_all
from .stacks import Stack


@dataclass(frozen=True)
class StackDrift:
    """How one stack differs."""

    plan: StackPlan

    @property
    def name(self) -> str:
        return self.plan.stack.name

    @property
    def differs(self) -> bool:
        return not self.plan.empty


def look(
    stacks: Sequence[Stack], folder: Path, say: Callable[[str], None] = lambda _: None
) -> list[StackDrift]:
    """Compare every stack with what stands. Nothing is changed, no state either.

    One plan tells both: what was changed by hand (it refreshes the state first, and says what was
    other than there), and what was merged and never applied.

    Raises:
        GitopsError: a stack could not be planned.
    """
    plans = plan_all(stacks, folder, say)
    failed = [plan.error for plan in plans if plan.error]
    if failed:
        raise GitopsError("\n".join(failed), "Whether there is drift could not be seen.")
    return [StackDrift(plan) for plan in plans]


def report(tenancy: str, found: Sequence[StackDrift]) -> str:
    """The differences for a reader, as an issue's text."""
    drifted = [stack.name for stack in found if stack.differs]
    title = f"differs in {', '.join(drifted)}" if drifted else "no drift"
    heading = (marker("drift", tenancy), f"## {code(tenancy)}: {title}")
    return page([Section(heading), *_advice(drifted), *_sections(found)], DRIFT)


def as_json(tenancy: str, found: Sequence[StackDrift]) -> dict[str, Any]:
    """The differences for a program."""
    return {
        "tenancy": tenancy,
        "drift": any(stack.differs for stack in found),
        "stacks": {
            stack.name: {
                "behind": [asdict(change) for change in stack.plan.behind],
                "pending": [asdict(change) for change in stack.plan.resources],
                "outputs": sorted(stack.plan.changed_outputs),
                "waits_for": stack.plan.waits_for,
            }
            for stack in found
        },
    }


def _advice(drifted: Sequence[str]) -> Iterable[Section]:
    if drifted:
        yield Section(
            (
                "Either somebody changed the tenancy by hand, or a merge was not applied. To go "
                "back to what the repository says, apply it; to keep a change, put it into the "
                "tenancy file or the stacks.",
            )
        )


def _sections(found: Sequence[StackDrift]) -> Iterable[Section]:
    for stack in found:
        if stack.plan.behind:
            title = f"{stack.name}: {len(stack.plan.behind)} changed behind Terraform's back"
            yield tables(title, stack.plan.behind)
        if stack.plan.resources:
            title = f"{stack.name}: an apply would change {len(stack.plan.resources)}"
            yield tables(title, stack.plan.resources)
        if stack.plan.waits_for:
            needed = " and ".join(stack.plan.waits_for)
            yield Section((f"{stack.name} is not deployed: it waits for {needed}.",))
