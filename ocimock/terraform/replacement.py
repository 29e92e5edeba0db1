"""Which changes force a replacement: those that the SDK's update has no field for."""

from __future__ import annotations

from collections.abc import Iterator

from ocimock.terraform.models import Field, find
from ocimock.terraform.planning import differing
from ocimock.terraform.resource import Resource
from ocimock.terraform.schema import Block
from ocimock.terraform.values import UNKNOWN, Value

#: Steps into a value: an attribute's name, or an index into a list.
Steps = tuple[str | int, ...]


def replacements(resource: Resource, block: Block, planned: Value, prior: Value) -> list[Steps]:
    """Where the planned state differs from the prior one in a way that no update can bring."""
    found: list[Steps] = []
    for name in differing(block, planned, prior):
        if _in_place(resource, block, name):
            continue
        found.extend(_forced(resource, block, name, planned, prior))
    return found


def _in_place(resource: Resource, block: Block, name: str) -> bool:
    if name in resource.in_place or name == "timeouts":
        return True
    if name == "compartment_id" and resource.change_compartment:
        return True
    attribute = block.attributes.get(name)
    return attribute is not None and attribute.computed and not attribute.optional


def _forced(
    resource: Resource, block: Block, name: str, planned: Value, prior: Value
) -> Iterator[Steps]:
    field = None
    if name not in resource.force_new and resource.models.has(resource.update):
        field = find(resource.models.fields_of_family(resource.update), name)
    yield from _differences(resource, block, name, field, planned, prior, ())


def _differences(
    resource: Resource,
    block: Block,
    name: str,
    field: Field | None,
    planned: Value,
    prior: Value,
    above: Steps,
) -> Iterator[Steps]:
    """The places at and below `name` that differ and that no update's field covers."""
    steps = (*above, name)
    nested = block.blocks.get(name)
    new, old = planned.get(name), prior.get(name)
    if nested is None or not _comparable(new, old, nested.nesting):
        if field is None:
            yield steps
        return
    covered = {} if field is None else _fields(resource, field)
    for index, (after, before) in enumerate(zip(new, old, strict=True)):
        for inner in differing(nested.block, after, before):
            yield from _differences(
                resource,
                nested.block,
                inner,
                find(covered, inner),
                after,
                before,
                (*steps, index),
            )


def _fields(resource: Resource, field: Field) -> dict[str, Field]:
    if not resource.models.has(field.item):
        return {}
    return dict(resource.models.fields_of_family(field.item))


def _comparable(new: Value, old: Value, nesting: str) -> bool:
    if nesting != "list" or not isinstance(new, list) or not isinstance(old, list):
        return False
    return len(new) == len(old) and UNKNOWN not in new
