"""What the fallbacks of a tenancy file demand: the shapes and subnets that are tried in turn."""

import math
from collections.abc import Iterator

from infra.tenancy.errors import Path, Problem
from infra.tenancy.schema import MAX_REPLICAS, Tenancy
from infra.tenancy.tables import GPU_SHAPES
from infra.tenancy.training import replicas_of, replicas_on, rows_of_a_step, share_on


def problems(tenancy: Tenancy) -> Iterator[Problem]:
    """Every fallback that repeats another one, or could not do what the first choice does."""
    parts = (("finetune", tenancy.finetune), ("merge", tenancy.merge), ("serving", tenancy.serving))
    for name, part in parts:
        before = f"{name}.shape or before it in the list"
        chosen = (part.shape, *part.fallback_shapes)
        yield from _repeated((name, "fallback_shapes"), chosen, "another shape", before)
    network = tenancy.network
    if network.subnet_id is not None:
        before = "network.subnet_id or before it in the list"
        subnets = (network.subnet_id, *network.fallback_subnet_ids)
        yield from _repeated(("network", "fallback_subnet_ids"), subnets, "another subnet", before)
    elif network.fallback_subnet_ids:
        path = ("network", "fallback_subnet_ids")
        hint = "a subnet of our own is regional: OCI chooses among all its availability domains"
        allowed = "nothing without network.subnet_id"
        yield Problem(path, list(network.fallback_subnet_ids), allowed, hint)
    if replicas_of(tenancy) is not None:  # else it is told for itself
        yield from _training(tenancy)
    yield from _serving(tenancy)


def _repeated(path: Path, chosen: tuple[str, ...], other: str, before: str) -> Iterator[Problem]:
    for number, each in enumerate(chosen[1:]):
        if each in chosen[: number + 1]:
            hint = f"this one stands at {before}"
            yield Problem((*path, number), each, other, hint)


def _training(tenancy: Tenancy) -> Iterator[Problem]:
    for number, shape in enumerate(tenancy.finetune.fallback_shapes):
        path = ("finetune", "fallback_shapes", number)
        needed = replicas_on(tenancy, shape)
        if needed > MAX_REPLICAS:
            allowed = f"a shape of which {MAX_REPLICAS} or fewer hold the training"
            yield Problem(path, shape, allowed, f"it would take {needed} of this one")
        elif share_on(tenancy, shape) is None:
            rows, gpus = rows_of_a_step(tenancy), needed * GPU_SHAPES[shape].gpus
            passes = tenancy.finetune.gradient_accumulation * gpus // math.gcd(rows, gpus)
            hint = f"with finetune.gradient_accumulation {passes}, {gpus} of them would"
            allowed = f"a shape whose GPUs share the {rows} rows of a step evenly"
            yield Problem(path, shape, allowed, hint)


def _serving(tenancy: Tenancy) -> Iterator[Problem]:
    wanted = tenancy.serving.tensor_parallel
    for number, shape in enumerate(tenancy.serving.fallback_shapes):
        if wanted is not None and wanted > GPU_SHAPES[shape].gpus:
            allowed = f"a shape of {wanted} GPUs or more, as serving.tensor_parallel says"
            yield Problem(("serving", "fallback_shapes", number), shape, allowed)
