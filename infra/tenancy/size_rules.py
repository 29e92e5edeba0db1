"""What the sizes of model and machines demand: that the training and the deployment fit.

Of known models only, and only where even the low end of the estimate does not fit: a tenancy file
is refused for what is sure to fail. What is tight is for ``jobs plan`` and ``jobs preflight``.
"""

import math
from collections.abc import Iterator

from infra.tenancy import sized
from infra.tenancy.errors import Path, Problem
from infra.tenancy.schema import MAX_REPLICAS, Tenancy
from infra.tenancy.tables import GPU_SHAPES
from infra.tenancy.training import replicas_needed, replicas_of, share_on
from sizing import choices
from sizing.serving import Serving, servings
from sizing.shapes import Shape


def problems(tenancy: Tenancy) -> Iterator[Problem]:
    """Everything that is too small for what shall run on it."""
    yield from _replicas(tenancy)
    replicas = replicas_of(tenancy)
    if replicas is not None and replicas <= MAX_REPLICAS:  # else it is told for itself
        yield from _training(tenancy, replicas)
        yield from _fallbacks(tenancy)
    yield from _deployment(tenancy)


def _replicas(tenancy: Tenancy) -> Iterator[Problem]:
    """That there is a number of nodes: from the file, the model, or its name."""
    if tenancy.finetune.replicas is not None:
        return
    path, allowed = ("finetune", "replicas"), f"a whole number from 1 to {MAX_REPLICAS}"
    shape = tenancy.finetune.shape
    needed = replicas_needed(tenancy)
    if needed is not None and needed <= MAX_REPLICAS:
        return
    if needed is not None:
        hint = f"the model would take {needed} of {shape}: choose a larger finetune.shape"
    else:
        hint = f"the name of {tenancy.model} does not say how many parameters it has"
    yield Problem.missing(path, allowed, hint)


def _easier(tenancy: Tenancy, shape: Shape, replicas: int) -> str:
    """What to change for *replicas* of *shape* to do, as a part of a sentence; '' for nothing."""
    finetune = tenancy.finetune
    changes: dict[str, dict[str, object]] = {}
    if finetune.recipe == "sft" and not finetune.gradient_checkpointing:
        changes["finetune.gradient_checkpointing true"] = {"gradient_checkpointing": True}
    if sized.batch_size_of(tenancy) > 1:
        changes["finetune.batch_size 1"] = {"batch_size": 1}
    if len(changes) > 1:
        both = {name: value for change in changes.values() for name, value in change.items()}
        changes[" and ".join(changes)] = both
    for words, change in changes.items():
        changed = {"finetune": finetune.model_copy(update=change)}
        needed = sized.fewest_replicas(tenancy.model_copy(update=changed), shape)
        if needed is not None and needed <= replicas:
            return f"; with {words}, {needed} would do"
    return ""


def _training(tenancy: Tenancy, replicas: int) -> Iterator[Problem]:
    finetune = tenancy.finetune
    shape = GPU_SHAPES[finetune.shape]
    why = _too_much(tenancy, shape, replicas)
    if not why:
        return
    why += _easier(tenancy, shape, replicas) + _others(tenancy)
    enough = sized.fewest_replicas(tenancy, shape)
    if finetune.replicas is not None and enough is not None:
        path: Path = ("finetune", "replicas")
        allowed = f"{enough} or more of {shape.name}"
        yield Problem(path, finetune.replicas, allowed, why)
    else:
        path, allowed = ("finetune", "shape"), "a shape that holds the training"
        if "shape" in finetune.model_fields_set:
            yield Problem(path, shape.name, allowed, why)
        else:
            yield Problem.missing(path, allowed, why)


def _fallbacks(tenancy: Tenancy) -> Iterator[Problem]:
    for number, name in enumerate(tenancy.finetune.fallback_shapes):
        share = share_on(tenancy, name)
        if share is None:  # told for itself
            continue
        changed = tenancy.finetune.model_copy(update={"batch_size": share.batch_size})
        there = tenancy.model_copy(update={"finetune": changed})
        why = _too_much(there, GPU_SHAPES[name], share.replicas)
        if why:
            path = ("finetune", "fallback_shapes", number)
            yield Problem(path, name, "a shape that holds the training", why + _others(tenancy))


def _too_much(tenancy: Tenancy, shape: Shape, replicas: int) -> str:
    """Why it can't be held, as figures, or ''."""
    memory = sized.memory_on(tenancy, shape, replicas)
    if memory is None or memory.total.low <= shape.gpu_memory:
        return ""
    least = math.floor(memory.total.low / 1e8) / 10
    gpus = replicas * shape.gpus
    among = f"each of {gpus} GPUs" if gpus > 1 else "its one GPU"
    return (
        f"training {tenancy.model} takes {least:,.1f} GB or more of {among}, which "
        f"{'have' if gpus > 1 else 'has'} {shape.gpu_memory / 1e9:,.1f} GB for it"
    )


def _others(tenancy: Tenancy) -> str:
    """The cheapest nodes that hold the training, as the end of a sentence; '' where none do."""
    found = []
    for shape in GPU_SHAPES.values():
        if choices.unusable(sized.training_of(tenancy), shape):
            continue
        replicas = sized.fewest_replicas(tenancy, shape)
        if replicas is not None and shape.price_per_hour is not None:
            found.append((replicas * shape.price_per_hour, replicas, shape.name))
    if not found:
        return ""
    _, replicas, name = min(found)
    return f"; the cheapest that holds it is {replicas} x {name}"


def _deployment(tenancy: Tenancy) -> Iterator[Problem]:
    part = tenancy.serving
    shape = GPU_SHAPES[part.shape]
    if (part.tensor_parallel or 0) <= shape.gpus:  # else it is told for itself
        found = sized.serving_on(tenancy, shape)
        if found is not None and found.fit.verdict == "does not fit":
            yield _unserved(tenancy, found)
    for number, name in enumerate(part.fallback_shapes):
        if (part.tensor_parallel or 0) > GPU_SHAPES[name].gpus:
            continue
        found = sized.serving_on(tenancy, GPU_SHAPES[name])
        if found is not None and found.fit.verdict == "does not fit":
            path = ("serving", "fallback_shapes", number)
            allowed = f"a shape that serves {found.max_model_len:,} tokens"
            yield Problem(path, name, allowed, _why(found) + _elsewhere(tenancy, found))


def _unserved(tenancy: Tenancy, found: Serving) -> Problem:
    """The field to blame: the one that is enough to change."""
    part, why, shape = tenancy.serving, _why(found), found.shape
    if found.longest:
        allowed = f"a whole number from 128 to {found.longest}"
        if part.max_model_len is None:
            return Problem.missing(("serving", "max_model_len"), allowed, why)
        return Problem(("serving", "max_model_len"), found.max_model_len, allowed, why)
    if part.tensor_parallel is not None:
        free = tenancy.model_copy(
            update={"serving": part.model_copy(update={"tensor_parallel": None})}
        )
        other = sized.serving_on(free, shape)
        if other is not None and other.fit.verdict != "does not fit":
            allowed = f"{other.tensor_parallel}, of the {shape.gpus} GPUs of {shape.name}"
            return Problem(("serving", "tensor_parallel"), part.tensor_parallel, allowed, why)
    allowed = f"a shape that serves {found.max_model_len:,} tokens"
    why += _elsewhere(tenancy, found)
    if "shape" in part.model_fields_set:
        return Problem(("serving", "shape"), shape.name, allowed, why)
    return Problem.missing(("serving", "shape"), allowed, why)


def _why(found: Serving) -> str:
    gpus = "1 GPU" if found.tensor_parallel == 1 else f"{found.tensor_parallel} GPUs"
    return f"the server would not start on {gpus} of {found.shape.name}: {found.fit.why}"


def _elsewhere(tenancy: Tenancy, found: Serving) -> str:
    """The cheapest shape that would do, as the end of a sentence; '' where none would."""
    model = sized.model_of(tenancy)
    best = model and servings(model, found.max_model_len, found.options)[0]
    if not best or best.fit.verdict != "fits":
        return ""
    return f"; the cheapest that serves it is {best.shape.name}"
