"""Apply the stacks, each after those that it reads from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import saved, terraform
from .changes import LOSES
from .errors import GitopsError, RefusedError, TerraformError
from .planning import StackPlan, plan_one
from .processes import run
from .saved import Reviewed
from .stacks import Stack


@dataclass
class Applying:
    """One way through the stacks.

    :param folder: where the plans are that are made on the way.
    :param reviewed: the plans that somebody looked at, by stack; empty where there were none.
    :param reviewed_in: the folder that holds them.
    :param may_destroy: whether a plan that nobody looked at may destroy or replace something.
    :param say: told what happens.
    """

    folder: Path
    reviewed: Mapping[str, Reviewed]
    reviewed_in: Path | None
    may_destroy: bool
    say: Callable[[str], None]
    _outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _changed: dict[str, frozenset[str]] = field(default_factory=dict)

    def apply(self, stacks: Sequence[Stack]) -> None:
        """Apply all of them.

        Raises:
            TerraformError: one failed; those before it stand.
            RefusedError: a plan that nobody looked at would destroy something.
        """
        for stack in stacks:
            if self.reviewed_in:
                saved.use_lock(stack, self.reviewed_in)
            terraform.init(stack, stacks[0])
            before = terraform.outputs(stack)
            self._apply(stack)
            after = terraform.outputs(stack)
            self._outputs[stack.name] = after
            self._changed[stack.name] = frozenset(
                name for name in {*before, *after} if before.get(name) != after.get(name)
            )

    def _apply(self, stack: Stack) -> None:
        reviewed = self.reviewed.get(stack.name)
        if reviewed and reviewed.file and not self._reads_other_values(stack):
            if reviewed.empty:
                self.say(f"{stack.name}: no changes")
                return
            self.say(f"{stack.name}: applying the plan that was reviewed")
            terraform.apply(stack, reviewed.file)
            return
        plan = self._plan(stack)
        if plan.empty:
            self.say(f"{stack.name}: no changes")
            return
        self._need_harmless(plan)
        self.say(f"{stack.name}: applying a plan of now")
        assert plan.file is not None  # a plan that waits or failed was refused above
        terraform.apply(stack, plan.file)

    def _plan(self, stack: Stack) -> StackPlan:
        standing: dict[str, frozenset[str] | TerraformError] = {
            name: frozenset(outputs) for name, outputs in self._outputs.items()
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        plan = plan_one(stack, standing, self.folder)
        if plan.error:
            raise GitopsError(plan.error)
        if plan.waits_for:
            raise GitopsError(
                f"{stack.name} needs outputs that {' and '.join(plan.waits_for)} does not have, "
                "although it is applied.",
                "That is a mistake in the stacks: see the outputs of both in infra/stacks.py.",
            )
        return plan

    def _reads_other_values(self, stack: Stack) -> bool:
        """Whether what it was planned with has changed since, by what was applied before it."""
        return any(
            needed & self._changed.get(name, frozenset()) for name, needed in stack.reads.items()
        )

    def _need_harmless(self, plan: StackPlan) -> None:
        reviewed = self.reviewed.get(plan.stack.name)
        looked_at = reviewed.losses if reviewed else frozenset()
        lost = [
            change
            for change in plan.resources
            if change.action in LOSES and change.address not in looked_at
        ]
        if not lost or self.may_destroy:
            return
        named = "\n".join(f"  {change.action} {change.address}" for change in lost)
        raise RefusedError(
            f"The plan of {plan.stack.name} destroys what nobody has looked at:\n{named}",
            "Let somebody look: 'python -m gitops plan --to FOLDER' and then 'apply --reviewed "
            "FOLDER'; or say --may-destroy.",
        )


def emit(tenancy: Path) -> None:
    """Write the definitions that the applied stacks hold, by the runner's own command.

    To the bucket as well: who runs the pipeline from a notebook takes them from there, and shall
    not run those of before the merge.

    Raises:
        GitopsError: it failed, and has said why.
    """
    command = [sys.executable, "-m", "jobs", "emit", "--publish", "--tenancy", str(tenancy)]
    if run(command, openly=True).code:
        raise GitopsError(
            "The stacks are applied, but their definitions could not be written: see above."
        )
