"""A folder of plans that somebody reviews, and of what is needed to apply exactly them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import terraform
from .changes import LOSES
from .errors import RefusedError
from .planning import StackPlan
from .stacks import Stack

_INDEX = "plans.json"
_LOCK = "{stack}.terraform.lock.hcl"


@dataclass(frozen=True)
class Reviewed:
    """What of a stack was planned when somebody looked at it.

    :param file: the plan; None where the stack could not be planned yet.
    :param digest: of the configuration that was planned.
    :param losses: the addresses of what it destroys or replaces.
    """

    file: Path | None
    digest: str
    empty: bool
    losses: frozenset[str]


def write(tenancy: str, plans: Sequence[StackPlan], folder: Path) -> None:
    """Write down, beside the plans in *folder*, what they are of."""
    index = {"tenancy": tenancy, "stacks": {plan.stack.name: _entry(plan) for plan in plans}}
    (folder / _INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    for plan in plans:
        lock = terraform.lock_file(plan.stack)
        if lock.is_file():
            shutil.copyfile(lock, folder / _LOCK.format(stack=plan.stack.name))


def read(tenancy: str, stacks: Sequence[Stack], folder: Path) -> dict[str, Reviewed]:
    """The reviewed plans of *stacks*.

    Raises:
        RefusedError: they are of another tenancy or of another configuration.
    """
    again = "Plan anew: 'python -m gitops plan'."
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        found = {
            name: Reviewed(
                folder / entry["file"] if entry["file"] else None,
                entry["digest"],
                entry["empty"],
                frozenset(entry["losses"]),
            )
            for name, entry in index["stacks"].items()
        }
        planned = str(index["tenancy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"{folder} holds no plans that can be read: {error}.", again) from None
    if planned != tenancy:
        raise RefusedError(f"{folder} holds plans of {planned}, not of {tenancy}.", again)
    for stack in stacks:
        if stack.name not in found or found[stack.name].digest != stack.digest:
            raise RefusedError(
                f"{stack.name} was planned from another configuration than this one, so what was "
                "reviewed is not what would be applied.",
                again,
            )
    return found


def use_lock(stack: Stack, folder: Path) -> None:
    """Have ``init`` choose the provider that the reviewed plan was made with."""
    lock = folder / _LOCK.format(stack=stack.name)
    if lock.is_file():
        shutil.copyfile(lock, terraform.lock_file(stack))


def _entry(plan: StackPlan) -> dict[str, object]:
    return {
        "file": plan.file.name if plan.file else None,
        "digest": plan.stack.digest,
        "empty": plan.empty,
        "losses": [change.address for change in plan.resources if change.action in LOSES],
    }
