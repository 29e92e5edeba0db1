"""Which changes are made in place and which replace, as the real provider's documentation says."""

from __future__ import annotations

from typing import Any

import pytest

from ocimock.terraform import schema
from ocimock.terraform.replacement import replacements
from ocimock.terraform.resources import RESOURCES
from ocimock.terraform.schema import Attribute, Block

_SCHEMA = schema.load()
_OLD = {"string": "old", "number": 1, "bool": False, "list": ["old"], "set": ["old"]}
_NEW = {"string": "new", "number": 2, "bool": True, "list": ["new"], "set": ["new"]}

_IN_PLACE = [
    ("oci_core_vcn", "display_name"),
    ("oci_core_vcn", "compartment_id"),
    ("oci_core_vcn", "cidr_blocks"),
    ("oci_core_vcn", "freeform_tags"),
    ("oci_core_subnet", "cidr_block"),
    ("oci_core_subnet", "route_table_id"),
    ("oci_core_subnet", "security_list_ids"),
    ("oci_core_internet_gateway", "enabled"),
    ("oci_core_nat_gateway", "block_traffic"),
    ("oci_core_route_table", "route_rules"),
    ("oci_core_security_list", "ingress_security_rules"),
    ("oci_core_service_gateway", "services"),
    ("oci_core_network_security_group_security_rule", "protocol"),
    ("oci_core_network_security_group_security_rule", "stateless"),
    ("oci_identity_compartment", "name"),
    ("oci_identity_compartment", "enable_delete"),
    ("oci_identity_dynamic_group", "matching_rule"),
    ("oci_identity_policy", "statements"),
    ("oci_objectstorage_bucket", "compartment_id"),
    ("oci_objectstorage_bucket", "versioning"),
    ("oci_objectstorage_bucket", "access_type"),
    ("oci_objectstorage_object", "object"),
    ("oci_objectstorage_object", "delete_all_object_versions"),
    ("oci_kms_vault", "display_name"),
    ("oci_kms_key", "desired_state"),
    ("oci_vault_secret", "secret_content"),
    ("oci_vault_secret", "description"),
    ("oci_logging_log", "retention_duration"),
    ("oci_logging_log", "log_group_id"),
    ("oci_logging_log", "is_enabled"),
    ("oci_logging_log_group", "display_name"),
    ("oci_artifacts_container_repository", "is_public"),
    ("oci_datascience_project", "description"),
    ("oci_datascience_notebook_session", "state"),
    ("oci_datascience_notebook_session", "notebook_session_configuration_details"),
    ("oci_datascience_job", "job_infrastructure_configuration_details"),
    ("oci_datascience_job", "delete_related_job_runs"),
    ("oci_datascience_model", "display_name"),
    ("oci_datascience_model_deployment", "state"),
    ("oci_datascience_model_version_set", "description"),
]
_REPLACES = [
    ("oci_core_vcn", "cidr_block"),
    ("oci_core_vcn", "dns_label"),
    ("oci_core_subnet", "vcn_id"),
    ("oci_core_subnet", "dns_label"),
    ("oci_core_subnet", "prohibit_public_ip_on_vnic"),
    ("oci_core_nat_gateway", "public_ip_id"),
    ("oci_core_security_list", "vcn_id"),
    ("oci_core_network_security_group_security_rule", "network_security_group_id"),
    ("oci_identity_dynamic_group", "compartment_id"),
    ("oci_identity_dynamic_group", "name"),
    ("oci_identity_policy", "name"),
    ("oci_objectstorage_bucket", "name"),
    ("oci_objectstorage_bucket", "namespace"),
    ("oci_objectstorage_bucket", "storage_tier"),
    ("oci_objectstorage_object", "content"),
    ("oci_objectstorage_object", "bucket"),
    ("oci_objectstorage_object", "metadata"),
    ("oci_kms_vault", "vault_type"),
    ("oci_kms_key", "management_endpoint"),
    ("oci_kms_key", "protection_mode"),
    ("oci_vault_secret", "secret_name"),
    ("oci_vault_secret", "vault_id"),
    ("oci_logging_log", "log_type"),
    ("oci_artifacts_container_repository", "display_name"),
    ("oci_datascience_notebook_session", "project_id"),
    ("oci_datascience_job", "project_id"),
    ("oci_datascience_job", "job_artifact"),
    ("oci_datascience_model", "model_artifact"),
    ("oci_datascience_model_version_set", "name"),
]


def _empty(block: Block) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(block.attributes)
    values.update({n: None if b.nesting == "single" else [] for n, b in block.blocks.items()})
    return values


def _changed(type_name: str, name: str) -> list[tuple[str | int, ...]]:
    block = _SCHEMA.resources[type_name].block
    prior, planned = _empty(block), _empty(block)
    prior[name], planned[name] = _values(block, name)
    return replacements(RESOURCES[type_name], block, planned, prior)


def _values(block: Block, name: str) -> tuple[Any, Any]:
    if name in block.blocks:
        inner = block.blocks[name].block
        leaf = next(n for n, a in inner.attributes.items() if not _only_computed(a))
        old, new = _empty(inner), _empty(inner)
        old[leaf], new[leaf] = _values(inner, leaf)
        return [old], [new]
    kind = block.attributes[name].kind
    if kind == "map":
        return {"k": "old"}, {"k": "new"}
    return _OLD[kind], _NEW[kind]


def _only_computed(attribute: Attribute) -> bool:
    return attribute.computed and not attribute.optional


@pytest.mark.parametrize(("type_name", "name"), _IN_PLACE)
def test_changes_in_place(type_name: str, name: str) -> None:
    assert _changed(type_name, name) == []


@pytest.mark.parametrize(("type_name", "name"), _REPLACES)
def test_forces_replacement(type_name: str, name: str) -> None:
    assert _changed(type_name, name) == [(name,)]


def test_a_nested_change_is_named_where_it_stands() -> None:
    block = _SCHEMA.resources["oci_kms_key"].block
    prior, planned = _empty(block), _empty(block)
    shape = {"algorithm": "AES", "length": 32, "curve_id": None}
    prior["key_shape"], planned["key_shape"] = [shape], [{**shape, "length": 16}]
    assert replacements(RESOURCES["oci_kms_key"], block, planned, prior) == [
        ("key_shape", 0, "length")
    ]


def test_a_block_may_be_in_place_in_one_part_and_replace_in_another() -> None:
    """A log's source keeps its resource for life, but not its parameters."""
    block = _SCHEMA.resources["oci_logging_log"].block
    source = {
        "category": "write",
        "parameters": {"k": "v"},
        "resource": "bucket",
        "service": "objectstorage",
        "source_type": "OCISERVICE",
    }

    def change(**changed: Any) -> list[tuple[str | int, ...]]:
        prior, planned = _empty(block), _empty(block)
        prior["configuration"] = [{"compartment_id": "c", "source": [source]}]
        planned["configuration"] = [{"compartment_id": "c", "source": [{**source, **changed}]}]
        return replacements(RESOURCES["oci_logging_log"], block, planned, prior)

    assert change(parameters={"k": "w"}) == []
    assert change(resource="other") == [("configuration", 0, "source", 0, "resource")]
