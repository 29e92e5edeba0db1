"""On how many nodes the training runs, and how they share a step: on its shape, and on others.

A fallback shape must not change what is trained, and must go on from the same checkpoints. So its
nodes share the same rows of a step, by smaller batches or by more of them.
"""

import math
from dataclasses import dataclass
from typing import Literal

from infra.tenancy.schema import MAX_REPLICAS, Tenancy
from infra.tenancy.sizes import replicas_for
from infra.tenancy.tables import GPU_SHAPES

Method = Literal["lora", "full"]

_BATCH_SIZE: dict[Method, int] = {"lora": 4, "full": 1}
# So many times the nodes that the model needs may be taken to share a step evenly.
_MORE_NODES = 2


@dataclass(frozen=True)
class Share:
    """How a number of nodes share a step: each GPU takes *passes* batches of *batch_size* rows."""

    replicas: int
    batch_size: int
    passes: int


def method_of(tenancy: Tenancy) -> Method:
    """LoRA, but for the tutorial's 7b case, which trains every parameter."""
    return tenancy.finetune.method or ("full" if tenancy.model == "7b" else "lora")


def batch_size_of(tenancy: Tenancy) -> int:
    """Rows that a GPU takes at once."""
    return tenancy.finetune.batch_size or _BATCH_SIZE[method_of(tenancy)]


def replicas_of(tenancy: Tenancy) -> int | None:
    """Nodes, None if neither the file nor the model's name says how many."""
    finetune = tenancy.finetune
    return finetune.replicas or replicas_for(tenancy.model, finetune.shape)


def replicas_on(tenancy: Tenancy, shape: str) -> int:
    """Nodes of another *shape* that the training needs.

    Where the file says how many of its own shape, as many as have that much GPU memory together.
    """
    if tenancy.finetune.replicas is None:
        return replicas_for(tenancy.model, shape) or 1
    own, other = GPU_SHAPES[tenancy.finetune.shape], GPU_SHAPES[shape]
    memory = tenancy.finetune.replicas * own.gpus * own.gpu_memory_gb
    return math.ceil(memory / (other.gpus * other.gpu_memory_gb))


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
