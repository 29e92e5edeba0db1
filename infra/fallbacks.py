"""The same job on other machines: what is submitted when OCI has none of those wanted.

First the shape that is wanted in every subnet, then the next shape in every subnet, and so on.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from infra.places import Places
from infra.tenancy.schema import Part, Tenancy
from infra.tenancy.training import share_on

Variant = tuple[Tenancy, Places]
Each = TypeVar("Each", bound=Part)


def of_stage(tenancy: Tenancy, places: Places) -> Iterator[Variant]:
    """Staging needs no GPU: the same shape elsewhere."""
    return _elsewhere([tenancy], places)


def of_finetune(tenancy: Tenancy, places: Places) -> Iterator[Variant]:
    """The training on its fallback shapes, with the same rows in a step."""
    return _elsewhere([tenancy, *_trained_on_others(tenancy)], places)


def of_merge(tenancy: Tenancy, places: Places) -> Iterator[Variant]:
    """The merge on its fallback shapes."""
    shapes = tenancy.merge.fallback_shapes
    others = (_changed(tenancy, merge=_changed(tenancy.merge, shape=shape)) for shape in shapes)
    return _elsewhere([tenancy, *others], places)


def of_deployment(tenancy: Tenancy, places: Places) -> Iterator[Variant]:
    """The deployment on its fallback shapes; its network is the service's own."""
    for shape in tenancy.serving.fallback_shapes:
        yield _changed(tenancy, serving=_changed(tenancy.serving, shape=shape)), places


def _trained_on_others(tenancy: Tenancy) -> Iterator[Tenancy]:
    for shape in tenancy.finetune.fallback_shapes:
        share = share_on(tenancy, shape)
        if share is None:  # the loader refuses such a file
            raise ValueError(f"{shape} can not take the place of {tenancy.finetune.shape}")
        finetune = _changed(
            tenancy.finetune,
            shape=shape,
            replicas=share.replicas,
            batch_size=share.batch_size,
            gradient_accumulation=share.passes,
        )
        yield _changed(tenancy, finetune=finetune)


def _elsewhere(tenancies: list[Tenancy], places: Places) -> Iterator[Variant]:
    """All but the first choice."""
    subnets = (places.subnet_id, *tenancies[0].network.fallback_subnet_ids)
    for tenancy in tenancies:
        for subnet in subnets:
            if tenancy is not tenancies[0] or subnet != places.subnet_id:
                yield tenancy, replace(places, subnet_id=subnet)


def _changed(part: Each, **values: object) -> Each:
    return part.model_copy(update=values)
