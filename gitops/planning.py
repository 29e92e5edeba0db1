"""Plan every stack, each beside the others: a plan reads states, not other plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import changes, terraform
from .changes import Change, OutputChange
from .errors import TerraformError
from .stacks import Stack


@dataclass(frozen=True)
class StackPlan:
    """What would become of one stack.

    :param file: the plan itself; None where there is none.
    :param behind: what somebody changed behind Terraform's back, of all that the stacks set.
    :param waits_for: stacks that have to be applied before this one can be planned.
    :param follows: stacks that this one reads outputs of, which their own plans change: it will be
        planned anew when they are applied.
    :param error: why Terraform could not plan it.
    """

    stack: Stack
    file: Path | None = None
    resources: tuple[Change, ...] = ()
    behind: tuple[Change, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    changed_outputs: frozenset[str] = frozenset()
    waits_for: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    error: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.resources or self.changed_outputs or self.waits_for or self.error)

    def count(self, *actions: changes.Action) -> int:
        """How many resources have one of the *actions* before them."""
        return sum(change.action in actions for change in self.resources)


def plan_all(
    stacks: Sequence[Stack], folder: Path, say: Callable[[str], None] = lambda _: None
) -> list[StackPlan]:
    """Plan the stacks into files of *folder*. What fails is told in the plan of that stack.

    :param say: told what goes on; from several threads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(stacks), None)
    standing = {stack.name: _standing(stack, first) for stack in stacks}

    def plan(stack: Stack) -> StackPlan:
        say(f"{stack.name}: planning")
        return plan_one(stack, standing, folder)

    with ThreadPoolExecutor(len(stacks) or 1) as pool:
        return _with_followers(list(pool.map(plan, stacks)))


def plan_one(
    stack: Stack, standing: Mapping[str, frozenset[str] | TerraformError], folder: Path
) -> StackPlan:
    """Plan one stack.

    :param standing: the names of each stack's outputs, or why they can't be read.
    """
    mine = standing.get(stack.name)
    if isinstance(mine, TerraformError):
        return StackPlan(stack, error=str(mine))
    waits_for = tuple(
        name for name, needed in sorted(stack.reads.items()) if not needed <= _names(standing, name)
    )
    if waits_for:
        return StackPlan(stack, waits_for=waits_for)
    file = folder / f"{stack.name}.tfplan"
    try:
        document = terraform.plan(stack, file)
    except TerraformError as error:
        return StackPlan(stack, error=str(error))
    return StackPlan(
        stack,
        file,
        resources=changes.resources(document),
        behind=changes.behind(document),
        outputs=changes.outputs(document),
        changed_outputs=changes.changed_output_names(document),
    )


def _standing(stack: Stack, first: Stack | None) -> frozenset[str] | TerraformError:
    try:
        terraform.init(stack, first)
        return frozenset(terraform.outputs(stack))
    except TerraformError as error:
        return error


def _names(standing: Mapping[str, frozenset[str] | TerraformError], stack: str) -> frozenset[str]:
    found = standing.get(stack, frozenset())
    return frozenset() if isinstance(found, TerraformError) else found


def _with_followers(plans: Sequence[StackPlan]) -> list[StackPlan]:
    changed = {plan.stack.name: plan.changed_outputs for plan in plans}
    return [
        StackPlan(
            **{
                **vars(plan),
                "follows": tuple(
                    name
                    for name, needed in sorted(plan.stack.reads.items())
                    if not plan.waits_for and needed & changed.get(name, frozenset())
                ),
            }
        )
        for plan in plans
    ]
