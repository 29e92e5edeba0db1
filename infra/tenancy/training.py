"""On how many nodes the training runs, and how they share a step: on its shape, and on others.

A fallback shape must not change what is trained, and must go on from the same checkpoints. So its
nodes share the same rows of a step, by smaller batches or by more of them.
"""

import math
from dataclasses import dataclass

from infra.tenancy.schema import MAX_REPLICAS, Tenancy
from infra.tenancy.sized import batch_size_of, fewest_replicas, method_of
from infra.tenancy.sizes import (
    TUTORIAL_METHODS,
    TUTORIAL_REPLICAS,
    TUTORIAL_SHAPE,
    replicas_by_name,
)
from infra.tenancy.tables import GPU_SHAPES

# So many times the nodes that the model needs may be taken to share a step evenly.
_MORE_NODES = 2


@dataclass(frozen=True)
class Share:
    """How a number of nodes share a step: each GPU takes *passes* batches of *batch_size* rows."""

    replicas: int
    batch_size: int
    passes: int


def replicas_of(tenancy: Tenancy) -> int | None:
    """Nodes: as the file says, else as :func:`replicas_needed`."""
    return tenancy.finetune.replicas or replicas_needed(tenancy)


def replicas_needed(tenancy: Tenancy) -> int | None:
    """Nodes of ``finetune.shape`` where the file does not say how many.

    Of the tutorial's two cases its own count, on another shape no fewer than have as much GPU
    memory together. Of any other known model the fewest that hold the training and are not tight.
    Where no number is that, or the model is not known, by its name's size: None if that is silent.
    """
    model, shape = tenancy.model, tenancy.finetune.shape
    floor = 1
    if TUTORIAL_METHODS.get(model) == method_of(tenancy):
        if shape == TUTORIAL_SHAPE:
            return TUTORIAL_REPLICAS[model]
        floor = _alike(TUTORIAL_SHAPE, TUTORIAL_REPLICAS[model], shape)
    fewest = fewest_replicas(tenancy, GPU_SHAPES[shape]) or replicas_by_name(model, shape)
    return fewest and max(fewest, floor)


def replicas_on(tenancy: Tenancy, shape: str) -> int:
    """Nodes of another *shape* that take the place of the first choice.

    As many as have as much GPU memory together: fewer would hold the training, perhaps, but take
    a multiple of its time. More, where a known model needs more of them.
    """
    alike = _alike(tenancy.finetune.shape, replicas_of(tenancy) or 1, shape)
    return max(alike, fewest_replicas(tenancy, GPU_SHAPES[shape]) or 1)


def _alike(shape: str, replicas: int, other: str) -> int:
    """Nodes of the *other* shape that have as much GPU memory as *replicas* of *shape*."""
    one, two = GPU_SHAPES[shape], GPU_SHAPES[other]
    memory = replicas * one.gpus * one.gpu_memory_gb
    return math.ceil(memory / (two.gpus * two.gpu_memory_gb))


def rows_of_a_step(tenancy: Tenancy) -> int:
    """Rows that all GPUs take together between two updates of the weights."""
    finetune = tenancy.finetune
    gpus = (replicas_of(tenancy) or 1) * GPU_SHAPES[finetune.shape].gpus
    return batch_size_of(tenancy) * gpus * finetune.gradient_accumulation


def share_on(tenancy: Tenancy, shape: str) -> Share | None:
    """How nodes of another *shape* train the same; None if they can not share a step evenly.

    llama-recipes keeps no checkpoints and knows no passes: there a GPU takes what it took.
    """
    batch_size, needed = batch_size_of(tenancy), replicas_on(tenancy, shape)
    if tenancy.finetune.recipe == "llama-recipes":
        return Share(needed, batch_size, 1)
    rows = rows_of_a_step(tenancy)
    for replicas in range(needed, min(_MORE_NODES * needed, MAX_REPLICAS) + 1):
        gpus = replicas * GPU_SHAPES[shape].gpus
        if rows % gpus == 0:
            own = rows // gpus
            batch = max(size for size in range(1, batch_size + 1) if own % size == 0)
            return Share(replicas, batch, own // batch)
    return None
