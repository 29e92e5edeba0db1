"""Writing a choice into the tenancy file: only the fields that it is about, comments untouched."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizing import choices, disk, vllm
from sizing.choices import Choice
from sizing.serving import Serving
from sizing.training import Training

from . import plan_tenancy
from .files import write_atomically
from .plan_edit import EditError, edited
from .plan_tenancy import Changes, PlanError
from .planning import Plan, gpu_shape, shared

_LEAST_LENGTH = 128


@dataclass(frozen=True)
class Applied:
    """*changes* of the file's fields, its *text* with them, and *notes* on what they bring."""

    file: Path
    before: str
    text: str
    changes: Changes
    notes: tuple[str, ...] = ()

    @property
    def difference(self) -> str:
        """As ``diff -u`` shows it."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.text.splitlines(),
            str(self.file), f"{self.file} (planned)", n=1, lineterm="",
        )  # fmt: skip
        return "\n".join(lines)


def applied(plan: Plan, one: Choice, options: Changes, rows: int) -> Applied:
    """*one* as the tenancy file would say it, with the *options* that the plan was made with.

    *rows* is of a step that the file's own choice takes: the same are shared by other GPUs where
    that goes evenly, so that the same is trained.

    Raises:
        PlanError: it would not fit with those rows, the file can't be edited, or would be refused.
    """
    file = plan.written.file
    stated = plan_tenancy.stated(file)
    fixed = {("finetune", "batch_size"), ("finetune", "gradient_accumulation")} & set(options)
    training = plan.training if fixed else shared(one, plan.training, rows)
    _refuse_unfit(plan, one, training)
    wanted = {
        **options,
        **dict(_finetune(plan, one, training)),
        **dict(_storage(plan, one, training, stated)),
        **dict(_serving(plan, stated)),
    }
    before = _text(file)
    now = plan_tenancy.values(file, wanted)
    changes = {path: value for path, value in wanted.items() if now[path] != value}
    try:
        text = edited(before, changes)
    except EditError as error:
        raise PlanError(
            f"{file} can't be edited: {error}.", f"Write by hand: {plan_tenancy.in_words(changes)}."
        ) from None
    if changes:
        plan_tenancy.check(file, text, changes, training)
    return Applied(file, before, text, changes, tuple(_notes(one, training, rows)))


def write(found: Applied) -> None:
    """Write the file, whole or not at all.

    Raises:
        PlanError: it was changed since it was read.
        WriteError: see :func:`jobs.files.write_atomically`.
    """
    if _text(found.file) != found.before:
        raise PlanError(f"{found.file} was changed meanwhile.", "Plan again.")
    mode = found.file.stat().st_mode
    # Where it is a link, what it leads to is written.
    place = found.file.resolve()
    write_atomically(place, found.text)
    place.chmod(mode)


def _finetune(plan: Plan, one: Choice, training: Training) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield ("finetune", "shape"), one.shape.name
    yield ("finetune", "replicas"), one.replicas
    if training.recipe == "sft" and training != plan.training:
        yield ("finetune", "batch_size"), training.batch_size
        yield ("finetune", "gradient_accumulation"), training.accumulation
    if one.shape.name in plan_tenancy.fallback_shapes(plan.written.file):
        raise PlanError(
            f"{one.shape.name} is one of finetune.fallback_shapes in {plan.written.file}.",
            "Take it out there first: a fallback is another shape than the first choice.",
        )


def _storage(
    plan: Plan, one: Choice, training: Training, stated: Collection[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Where the file says less than is needed; where it says nothing, infra takes enough."""
    needed = disk.training_disk(plan.model, training, one.replicas)
    if ("finetune", "block_storage_gb") in stated and plan.written.block_storage_gb < needed.gb:
        yield ("finetune", "block_storage_gb"), needed.recommended_gb
    merging = disk.merge_disk(plan.model, training)
    if ("merge", "block_storage_gb") in stated and plan.written.merge_storage_gb < merging.gb:
        yield ("merge", "block_storage_gb"), merging.recommended_gb


def _serving(
    plan: Plan, stated: Collection[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The cheapest that fits, where the file's does not fit or is dearer. Nothing where its
    arguments make a guess of that."""
    best, present = plan.servings[0], plan.served
    if present.options.unclear:
        return
    if best.fit.verdict != "fits":
        yield from _shorter(plan)
        return
    if present.fit.verdict == "fits" and not _cheaper(best, present):
        return
    yield ("serving", "shape"), best.shape.name
    usual = vllm.shared_by(plan.model, best.shape.gpus)
    if ("serving", "tensor_parallel") in stated or best.tensor_parallel != usual:
        yield ("serving", "tensor_parallel"), best.tensor_parallel


def _shorter(plan: Plan) -> Iterator[tuple[tuple[str, ...], Any]]:
    """No shape holds a request that long: as long as the file's own shape holds."""
    present = plan.served
    if present.fit.verdict == "does not fit" and present.longest >= _LEAST_LENGTH:
        yield ("serving", "max_model_len"), present.longest


def _cheaper(best: Serving, present: Serving) -> bool:
    if best.dollars_per_hour is None or present.dollars_per_hour is None:
        return False
    return best.dollars_per_hour < present.dollars_per_hour


def _refuse_unfit(plan: Plan, one: Choice, training: Training) -> None:
    found = choices.choice(plan.model, training, gpu_shape(one.shape.name), one.replicas)
    if found.fit.verdict == "does not fit":
        raise PlanError(
            f"{one.replicas} x {one.shape.name} does not fit: {found.fit.why}.",
            "Apply one that does.",
        )


def _notes(one: Choice, training: Training, rows: int) -> Iterator[str]:
    after = training.batch_size * training.accumulation * one.gpus
    if after != rows:
        yield (
            f"A step takes {after:,} rows on these {one.gpus} GPUs; it took {rows:,}. "
            "The learning rate may want to follow."
        )


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except OSError as error:
        raise PlanError(f"{file} can't be read: {error.strerror}.") from None
