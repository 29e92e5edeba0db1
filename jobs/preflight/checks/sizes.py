"""Whether what is trained fits its machines: their memory, their disks, their time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sizing import disk
from sizing.choices import Choice, choice, choices, fewest_replicas
from sizing.disk import Disk
from sizing.models import Model
from sizing.shapes import gpu_shapes

from ...definitions import Definition
from ...runtime_limit import maximum_minutes
from ...sized import Sized
from ..check import AGAIN, Finding, State, failed, passed, warned
from ..models_of import sized_of
from ..subject import Subject

_FINETUNE = ("finetune",)
_STEP_MINUTES = 30


class Memory:
    """Whether each GPU of the training has the memory for its share; of each fallback's too."""

    name = "memory"
    question = "Does the training fit the GPUs' memory?"
    offline = True
    after: tuple[str, ...] = ()
    steps = _FINETUNE

    def look(self, subject: Subject) -> list[Finding]:
        return [_memory(subject, each) for each in subject.of_step("finetune")]


class DiskSpace:
    """Whether the jobs' block storage holds what they write and keep there."""

    name = "disk"
    question = "Is the jobs' block storage large enough?"
    offline = True
    after: tuple[str, ...] = ()
    steps = ("stage", "finetune", "merge")

    def look(self, subject: Subject) -> list[Finding]:
        model = sized_of(subject).model
        if model is None:
            return [_unknown(subject)]
        return [
            _disk(each, step, needed)
            for step in self.steps
            for each in subject.of_step(step)
            for needed in [_needed(subject, step, each, model)]
        ]


class Runtime:
    """Whether the training can end within its maximum runtime."""

    name = "runtime"
    question = "Is the maximum runtime long enough for the training?"
    offline = True
    after: tuple[str, ...] = ()
    steps = _FINETUNE

    def look(self, subject: Subject) -> list[Finding]:
        return [_runtime(subject, each) for each in subject.of_step("finetune")]


def _unknown(subject: Subject) -> Finding:
    """The memory check says what to do about it."""
    return Finding(State.SKIPPED, f"the size of {sized_of(subject).model_id} is not known")


def _choice(sized: Sized, job: Definition) -> Choice | None:
    """None where model or shape is not known."""
    shape = gpu_shapes().get(job.shape)
    if sized.model is None or shape is None:
        return None
    return choice(sized.model, sized.training, shape, job.replicas, sized.data)


def _memory(subject: Subject, job: Definition) -> Finding:
    sized = sized_of(subject, job)
    found = _choice(sized, job)
    where = f"{job.path.name}, {job.replicas} x {job.shape}"
    if found is None:
        what = sized.model_id if sized.model is None else job.shape
        return warned(
            f"{where}: nothing is known of the size of {what}, so nobody can say whether it fits.",
            "Once the model is staged, its config.json is read; until then 'python -m jobs plan' "
            "takes a local one.",
        )
    if found.fit.verdict == "does not fit":
        return failed(f"{where}: does not fit: {found.fit.why}.", _that_fits(sized, found))
    if not found.shape.bf16:
        return failed(f"{where}: {found.refused}.", _that_fits(sized, found))
    if found.refused:
        return warned(f"{where}: {found.refused}.", "Take fewer nodes or smaller batches.")
    if found.fit.verdict == "tight":
        return warned(f"{where}: tight: {found.fit.why}.", _that_fits(sized, found))
    return passed(f"{where}: {found.fit.why}.")


def _that_fits(sized: Sized, found: Choice) -> str:
    """More of the same nodes, or the cheapest of all; as fields of the tenancy file."""
    assert sized.model is not None
    told = []
    replicas = fewest_replicas(sized.model, sized.training, found.shape)
    if replicas is not None:
        told.append(f"'finetune: replicas: {replicas}'")
    best = choices(sized.model, sized.training, sized.data)[0]
    if not best.refused and best.fit.verdict == "fits" and best.shape != found.shape:
        told.append(f"'finetune: shape: {best.shape.name}' with 'replicas: {best.replicas}'")
    told += list(_smaller(sized))
    return f"Set {', or '.join(told)} in the tenancy file; then {AGAIN}."


def _smaller(sized: Sized) -> Iterator[str]:
    """What takes less memory of the same machines."""
    training = sized.training
    if training.recipe == "sft" and not training.checkpointing:
        yield "'finetune: gradient_checkpointing: true'"
    if training.batch_size > 1:
        yield f"a smaller 'finetune: batch_size' than {training.batch_size}"
    if training.method == "full":
        yield "'finetune: method: lora'"


def _needed(subject: Subject, step: str, job: Definition, model: Model) -> Disk:
    if step == "stage":
        return disk.stage_disk(model)
    if step == "merge":
        return disk.merge_disk(model, sized_of(subject).training)
    return disk.training_disk(model, sized_of(subject, job).training, job.replicas)


def _disk(job: Definition, step: str, needed: Disk) -> Finding:
    there = float(job.infrastructure.get("blockStorageSize") or 0)
    said = f"{job.path.name}: {there:g} GB of block storage; it takes some {needed.gb:.0f} GB"
    set_to = f"{step}: block_storage_gb: {needed.recommended_gb}"
    remedy = f"Set '{set_to}' in the tenancy file; then {AGAIN}."
    if there < needed.gb:
        return failed(f"{said} ({needed.why}).", remedy)
    if there < needed.recommended_gb:
        return warned(f"{said}, and {needed.recommended_gb} are recommended.", remedy)
    return passed(f"{said}.")


def _runtime(subject: Subject, job: Definition) -> Finding:
    sized = sized_of(subject, job)
    if sized.model is None:
        return _unknown(subject)
    found = _choice(sized, job)
    minutes = maximum_minutes(job)
    if found is None or found.duration is None:
        what = job.shape if found is None else sized.data_id
        return Finding(State.SKIPPED, f"{job.path.name}: nothing is known of the size of {what}")
    hours = found.duration.hours
    takes = f"the training takes {hours.expected:.1f} h ({hours.low:.1f} to {hours.high:.1f})"
    if minutes is None:
        return passed(f"{job.path.name}: no maximum runtime; {takes}.")
    enough = math.ceil(hours.high * 60 / _STEP_MINUTES) * _STEP_MINUTES
    said = (
        f"{job.path.name}: the maximum runtime is {minutes:g} min ({minutes / 60:.1f} h); {takes}."
    )
    remedy = f"Set 'finetune: max_runtime_minutes: {enough}' in the tenancy file; then {AGAIN}."
    if minutes < hours.low * 60:
        return failed(said, remedy)
    if minutes < hours.expected * 60:
        return warned(said, remedy)
    return passed(said)
