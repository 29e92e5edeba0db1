"""The table of resources against the schema and the SDK: nothing misspelt, nothing left out."""

from __future__ import annotations

import importlib
import re

import pytest

from ocimock.terraform import schema
from ocimock.terraform.data_sources import DATA_SOURCES, NAMESPACE
from ocimock.terraform.driver import Driver
from ocimock.terraform.resource import Resource
from ocimock.terraform.resources import RESOURCES

_SCHEMA = schema.load()
#: Types whose driver has its own way for create, get, update and delete.
_OWN_OPERATIONS = {"oci_objectstorage_object", "oci_core_network_security_group_security_rule"}


def test_every_resource_and_data_source_of_the_schema_is_served() -> None:
    assert RESOURCES.keys() == _SCHEMA.resources.keys()
    assert {*DATA_SOURCES, NAMESPACE} == _SCHEMA.data_sources.keys()


@pytest.mark.parametrize("type_name", sorted(RESOURCES))
def test_its_driver_exists(type_name: str) -> None:
    module, _, name = RESOURCES[type_name].driver.partition(":")
    cls = getattr(importlib.import_module(f"ocimock.terraform.{module}"), name)
    assert issubclass(cls, Driver)


@pytest.mark.parametrize("type_name", sorted(RESOURCES.keys() - _OWN_OPERATIONS))
def test_its_operations_and_models_exist_in_the_sdk(type_name: str) -> None:
    resource = RESOURCES[type_name]
    client = getattr(
        importlib.import_module(f"oci.{resource.service.module}"), resource.service.client
    )
    noun = resource.noun
    delete = f"schedule_{noun}_deletion" if resource.schedule_deletion else f"delete_{noun}"
    for operation in (f"create_{noun}", f"get_{noun}", f"update_{noun}", delete):
        assert hasattr(client, operation)
    if resource.change_compartment:
        assert hasattr(client, f"change_{noun}_compartment")
    details = (resource.create, resource.update, resource.schedule_deletion)
    for name in (resource.model, *filter(None, details)):
        assert resource.models.has(name)


@pytest.mark.parametrize("type_name", sorted(RESOURCES))
def test_it_names_only_what_the_schema_has(type_name: str) -> None:
    resource = RESOURCES[type_name]
    block = _SCHEMA.resources[type_name].block
    names = {*block.attributes, *block.blocks}
    assert names >= resource.own | resource.in_place | resource.force_new
    assert names >= {*resource.path, *resource.create_path}
    assert names >= {*re.findall(r"{(\w+)}", resource.id_format)}
    assert names >= {*re.findall(r"\?P<(\w+)>", resource.import_format)}
    paths = _paths(block)
    rules = resource.rules
    assert paths >= {*rules.defaults, *rules.plain_blocks, *rules.state_forms, *rules.any_case} - (
        _optional_paths(resource)
    )


def _paths(block: schema.Block, above: str = "") -> set[str]:
    paths = {f"{above}{name}" for name in (*block.attributes, *block.blocks)}
    for name, nested in block.blocks.items():
        paths |= _paths(nested.block, f"{above}{name}.")
    return paths


def _optional_paths(resource: Resource) -> set[str]:
    """Port blocks are listed for both of the shapes in which resource types have them."""
    return {path for path in resource.rules.plain_blocks if path.endswith("_port_range")}
