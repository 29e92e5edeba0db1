"""The provider's schema as plain objects, read once from ``schema.json``.

The file is ``terraform providers schema -json`` of oracle/oci, cut to the resources that this
project may use, descriptions removed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

SCHEMA_FILE = Path(__file__).with_name("schema.json")
PROVIDER_SOURCE = "oracle/oci"
PROVIDER_VERSION = "8.28.0"
"""The release of oracle/oci whose schema this is."""

AttributeType = Any
"""Terraform's JSON form of a type: ``"string"``, ``["list", "string"]``, ``["object", {…}]``."""

Kind = Literal["provider", "resource", "data"]


@dataclass(frozen=True)
class Attribute:
    """One attribute of a block, as the provider declares it."""

    type: AttributeType
    required: bool
    optional: bool
    computed: bool

    @property
    def settable(self) -> bool:
        """Whether a configuration may set it."""
        return self.required or self.optional


@dataclass(frozen=True)
class NestedBlock:
    """A block inside a block, with the number of times it may appear (``None``: any)."""

    block: "Block"
    nesting: str
    min_items: int
    max_items: int | None

    @property
    def single(self) -> bool:
        """Whether it appears at most once."""
        return self.nesting == "single" or self.max_items == 1


@dataclass(frozen=True)
class Block:
    """Attributes and nested blocks of one resource, data source or nested block."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, NestedBlock]

    @property
    def settable(self) -> list[str]:
        """Names that a configuration may write, sorted. The resource's own ``id`` never is."""
        names = [name for name, attribute in self.attributes.items() if attribute.settable]
        names += [name for name, nested in self.blocks.items() if nested.block.settable]
        return sorted(names)

    @property
    def required(self) -> list[str]:
        """Names that a configuration must write, sorted."""
        names = [name for name, attribute in self.attributes.items() if attribute.required]
        names += [name for name, nested in self.blocks.items() if nested.min_items]
        return sorted(names)


@cache
def block_of(kind: Kind, terraform_type: str) -> Block:
    """The schema of one resource, data source or of the provider itself.

    Raises KeyError if the trimmed schema does not hold it.
    """
    if kind == "provider":
        return _top_level(_document()["provider"])
    section = "resource_schemas" if kind == "resource" else "data_source_schemas"
    return _top_level(_document()[section][terraform_type])


def names(kind: Kind) -> list[str]:
    """Terraform types that the trimmed schema holds, sorted."""
    section = "resource_schemas" if kind == "resource" else "data_source_schemas"
    return sorted(_document()[section])


@cache
def _document() -> dict[str, Any]:
    providers = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["provider_schemas"]
    document: dict[str, Any] = next(iter(providers.values()))
    return document


def _top_level(schema: Mapping[str, Any]) -> Block:
    block = _block(schema["block"])
    # Terraform's SDK declares `id` optional and computed; a configuration that sets it is wrong.
    attributes = {
        name: Attribute(attribute.type, False, False, True) if name == "id" else attribute
        for name, attribute in block.attributes.items()
    }
    return Block(attributes, block.blocks)


def _block(block: Mapping[str, Any]) -> Block:
    attributes = {
        name: Attribute(
            type=raw["type"],
            required=raw.get("required", False),
            optional=raw.get("optional", False),
            computed=raw.get("computed", False),
        )
        for name, raw in sorted(block.get("attributes", {}).items())
    }
    blocks = {
        name: NestedBlock(
            block=_block(raw["block"]),
            nesting=raw["nesting_mode"],
            min_items=raw.get("min_items", 0),
            max_items=raw.get("max_items"),
        )
        for name, raw in sorted(block.get("block_types", {}).items())
    }
    return Block(attributes, blocks)
