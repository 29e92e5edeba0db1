"""The tenancy file as a plan sees it: what would be trained and served, and on what.

The only module here that reads what a tenancy file says: a plan is made before anything is
deployed, so that there are no definitions yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sizing.training import Training
from sizing.training_words import training_of_words

from .errors import JobsError

if TYPE_CHECKING:
    from infra.tenancy import Tenancy

Changes = Mapping[tuple[str, ...], Any]
"""Path in the file → value, as ``("finetune", "replicas")``."""

# Fields that options of the plan change → what they are in a training.
_OF_TRAINING = {
    **{name: name for name in ("method", "batch_size", "max_length", "epochs", "max_steps")},
    "gradient_accumulation": "accumulation",
    "gradient_checkpointing": "checkpointing",
}


class PlanError(JobsError):
    """Nothing can be planned of that, or nothing meets what was asked for."""


@dataclass(frozen=True)
class Written:
    """What the file says, with every default filled in. *replicas* is None where neither the file
    nor the model says how many. *unfit* are the problems for which the file would be refused: too
    little memory, mostly."""

    file: Path
    model_id: str
    dataset: str
    training: Training
    shape: str
    replicas: int | None
    block_storage_gb: int
    merge_storage_gb: int
    serving_shape: str
    max_model_len: int
    tensor_parallel: int
    serving_arguments: tuple[str, ...]
    unfit: tuple[str, ...] = ()


def read(file: Path, changes: Changes | None = None) -> Written:
    """What *file* says, with *changes* in their fields' places.

    Raises:
        PlanError: the file is refused, for another reason than that something is too small; or a
            change is of a field that its recipe does not have, or that ``extra_args`` outvotes.
    """
    tenancy, unfit = _load(file)
    for path, value in (changes or {}).items():
        tenancy = _changed(tenancy, path, value)
    _refuse_foreign(tenancy, changes or {})
    written = _written(file, tenancy, unfit)
    _refuse_outvoted(written.training, tenancy, changes or {})
    return written


def check(file: Path, text: str, changes: Changes, training: Training) -> None:
    """That *text* in the place of *file*'s says *changes*, and nothing else besides, and that
    *training* is what comes of it.

    Raises:
        PlanError: it says more or less, or would be refused.
    """
    from infra.tenancy import TenancyError, load

    with TemporaryDirectory() as folder:
        scratch = Path(folder) / file.name
        scratch.write_text(text, encoding="utf-8")
        try:
            found = load(scratch)
        except TenancyError as error:
            told = str(error).replace(str(scratch), str(file))
            raise PlanError(
                f"With that, the tenancy file would be refused:\n{told}", f"{file} is as it was."
            ) from None
    wanted, _ = _load(file)
    for path, value in changes.items():
        wanted = _changed(wanted, path, value)
    if found.model_dump() != wanted.model_dump():
        raise PlanError(
            f"{file} is written in a way that can't be edited here without changing more.",
            f"Write by hand: {in_words(changes)}. The file is as it was.",
        )
    if _written(file, found, ()).training != training:
        raise PlanError(
            "finetune.extra_args says otherwise than the fields that would be written, and wins.",
            f"Take it out there first: {' '.join(found.finetune.extra_args)}.",
        )


def values(file: Path, paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Any]:
    """What the file has at *paths*, or the schema's default, as it is written there."""
    tenancy, _ = _load(file)
    found = {}
    for path in paths:
        value: Any = tenancy
        for name in path:
            value = getattr(value, name)
        found[path] = value
    return found


def fallback_shapes(file: Path) -> tuple[str, ...]:
    """Those of the training."""
    tenancy, _ = _load(file)
    return tuple(tenancy.finetune.fallback_shapes)


def stated(file: Path) -> frozenset[tuple[str, ...]]:
    """The fields that the file itself has, as paths."""
    tenancy, _ = _load(file)
    return frozenset(_stated(tenancy, ()))


def _load(file: Path) -> tuple[Tenancy, tuple[str, ...]]:
    try:
        from infra.tenancy import Tenancy, TenancyError, load
    except ModuleNotFoundError as error:
        raise PlanError(
            f"The tenancy file's schema needs the package {error.name}.",
            "Install it with 'pipenv sync --categories infra'.",
        ) from None
    try:
        return load(file), ()
    except TenancyError as error:
        tenancy = _only_too_small(file, Tenancy)
        if tenancy is None:
            raise PlanError(str(error), "A plan starts from a tenancy file in order.") from None
        return tenancy, tuple(str(error).splitlines())


def _only_too_small(file: Path, schema: type[Tenancy]) -> Tenancy | None:
    """The tenancy, where sizes are all that is wrong with it: a plan is what mends them."""
    from pydantic import ValidationError

    from infra.tenancy import TenancyError, rules, size_rules, source

    try:
        tenancy = schema.model_validate(source.read(file).data)
    except (TenancyError, ValidationError):
        return None
    sizes = list(size_rules.problems(tenancy))
    others = [problem for problem in rules.problems(tenancy) if problem not in sizes]
    return None if others or not sizes else tenancy


def _written(file: Path, tenancy: Tenancy, unfit: tuple[str, ...]) -> Written:
    from infra.plan import plan_for
    from infra.tenancy.training import replicas_of

    replicas = replicas_of(tenancy)
    if replicas is None:
        tenancy = _changed(tenancy, ("finetune", "replicas"), 1)
    plan = plan_for(tenancy)
    return Written(
        file=file,
        model_id=plan.model_id,
        dataset=tenancy.dataset,
        training=_training(tenancy),
        shape=tenancy.finetune.shape,
        replicas=replicas,
        block_storage_gb=plan.finetune_storage_gb,
        merge_storage_gb=plan.merge_storage_gb,
        serving_shape=tenancy.serving.shape,
        max_model_len=plan.max_model_len,
        tensor_parallel=plan.tensor_parallel,
        serving_arguments=tuple(tenancy.serving.extra_args),
        unfit=unfit,
    )


def _training(tenancy: Tenancy) -> Training:
    from infra.tenancy.sized import training_words

    settings = tenancy.finetune
    words = [*training_words(tenancy), *settings.extra_args]
    try:
        return training_of_words(words, settings.recipe)
    except ValueError as error:
        raise PlanError(f"finetune.extra_args: {error}.", "Mend it in the tenancy file.") from None


def _refuse_foreign(tenancy: Tenancy, changes: Changes) -> None:
    from infra.tenancy.schema import OF_SFT_ALONE

    if tenancy.finetune.recipe == "sft":
        return
    given = [path[-1] for path, value in changes.items() if value is not None]
    foreign = [name for name in given if name in OF_SFT_ALONE]
    if foreign:
        raise PlanError(
            f"llama-recipes has no {', '.join(foreign)}: it packs rows of 2,048 tokens, by epochs.",
            "Plan with --recipe sft, or without that.",
        )


def _refuse_outvoted(training: Training, tenancy: Tenancy, changes: Changes) -> None:
    outvoted = [
        f"finetune.{path[-1]}"
        for path, value in changes.items()
        if path[-1] in _OF_TRAINING
        and value is not None
        and getattr(training, _OF_TRAINING[path[-1]]) != value
    ]
    if outvoted:
        raise PlanError(
            f"finetune.extra_args says otherwise than {', '.join(outvoted)}, and wins: "
            f"{' '.join(tenancy.finetune.extra_args)}.",
            "Take it out there first, or plan without that option.",
        )


def _changed(tenancy: Tenancy, path: tuple[str, ...], value: Any) -> Tenancy:
    name, *rest = path
    if rest:
        part = getattr(tenancy, name)
        value = part.model_copy(update={rest[0]: value})
    return tenancy.model_copy(update={name: value})


def _stated(part: Any, path: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for name in part.model_fields_set:
        yield (*path, name)
        inner = getattr(part, name)
        if hasattr(inner, "model_fields_set"):
            yield from _stated(inner, (*path, name))


def in_words(changes: Changes) -> str:
    """What to write by hand."""
    fields = {".".join(path): value for path, value in changes.items()}
    return ", ".join(
        f"no {name}" if value is None else f"{name}: {value}" for name, value in fields.items()
    )
