"""The real provider's schema, as `terraform providers schema -json` prints it, cut to size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ocimock.terraform import ADDRESS

#: A Terraform type: a primitive's name, or ["list", type], ["object", {name: type}] …
Type = Any
Nesting = Literal["single", "list", "set", "map"]


@dataclass(frozen=True)
class Attribute:
    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False

    @property
    def kind(self) -> str:
        """`string`, `number`, `bool`, `list`, `set`, `map` or `object`."""
        return self.type if isinstance(self.type, str) else str(self.type[0])


@dataclass(frozen=True)
class NestedBlock:
    nesting: Nesting
    block: Block
    min_items: int = 0
    max_items: int = 0


@dataclass(frozen=True)
class Block:
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: Mapping[str, NestedBlock] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """A resource, a data source or the provider itself."""

    version: int
    block: Block


@dataclass(frozen=True)
class ProviderSchema:
    provider: Schema
    resources: Mapping[str, Schema]
    data_sources: Mapping[str, Schema]


@cache
def load() -> ProviderSchema:
    """Read `schema.json`. Nothing but this module reads it."""
    text = Path(__file__).with_name("schema.json").read_bytes()
    document = json.loads(text)["provider_schemas"][ADDRESS]
    return ProviderSchema(
        provider=_schema(document["provider"]),
        resources=_schemas(document["resource_schemas"]),
        data_sources=_schemas(document["data_source_schemas"]),
    )


def _schemas(document: Mapping[str, Any]) -> dict[str, Schema]:
    return {name: _schema(body) for name, body in sorted(document.items())}


def _schema(body: Mapping[str, Any]) -> Schema:
    return Schema(version=body.get("version", 0), block=_block(body["block"]))


def _block(body: Mapping[str, Any]) -> Block:
    attributes = {
        name: Attribute(
            type=attribute["type"],
            required=attribute.get("required", False),
            optional=attribute.get("optional", False),
            computed=attribute.get("computed", False),
            sensitive=attribute.get("sensitive", False),
        )
        for name, attribute in sorted(body.get("attributes", {}).items())
    }
    blocks = {
        name: NestedBlock(
            nesting=nested["nesting_mode"],
            block=_block(nested["block"]),
            min_items=nested.get("min_items", 0),
            max_items=nested.get("max_items", 0),
        )
        for name, nested in sorted(body.get("block_types", {}).items())
    }
    return Block(attributes, blocks)
