"""The protocol's side: the schema unchanged, errors as diagnostics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tf.gen import tfplugin_pb2 as pb

import ocimock.terraform
from ocimock.terraform import ADDRESS
from ocimock.terraform.exceptions import ServiceFailure
from ocimock.terraform.protocol import Servicer
from ocimock.terraform.provider import Provider
from ocimock.terraform.values import decode, encode

_DOCUMENT = json.loads(
    (Path(ocimock.terraform.__file__).parent / "schema.json").read_text(encoding="utf-8")
)["provider_schemas"][ADDRESS]


@pytest.fixture
def servicer() -> Servicer:
    return Servicer(Provider(environment={}))


def _told(block: Any) -> dict[str, Any]:
    """A block of the protocol, in the words of `terraform providers schema -json`."""
    told: dict[str, Any] = {}
    for attribute in block.attributes:
        flags = ("required", "optional", "computed", "sensitive")
        body = {"type": json.loads(attribute.type)}
        body.update({flag: True for flag in flags if getattr(attribute, flag)})
        told.setdefault("attributes", {})[attribute.name] = body
    for nested in block.block_types:
        name = pb.Schema.NestedBlock.NestingMode.Name(nested.nesting).lower()
        body = {"nesting_mode": name, "block": _told(nested.block)}
        body.update(
            {k: getattr(nested, k) for k in ("min_items", "max_items") if getattr(nested, k)}
        )
        told.setdefault("block_types", {})[nested.type_name] = body
    return told


def _facts(block: dict[str, Any]) -> dict[str, Any]:
    """The same of the schema file, without descriptions and flags that are false."""
    facts: dict[str, Any] = {}
    for name, attribute in block.get("attributes", {}).items():
        flags = ("required", "optional", "computed", "sensitive")
        body = {"type": attribute["type"], **{f: True for f in flags if attribute.get(f)}}
        facts.setdefault("attributes", {})[name] = body
    for name, nested in block.get("block_types", {}).items():
        body = {"nesting_mode": nested["nesting_mode"], "block": _facts(nested["block"])}
        body.update({k: nested[k] for k in ("min_items", "max_items") if nested.get(k)})
        facts.setdefault("block_types", {})[name] = body
    return facts


def test_terraform_hears_the_real_providers_schema(servicer: Servicer) -> None:
    answer = servicer.GetProviderSchema(None, None)
    assert _told(answer.provider.block) == _facts(_DOCUMENT["provider"]["block"])
    for told, known in (
        (answer.resource_schemas, _DOCUMENT["resource_schemas"]),
        (answer.data_source_schemas, _DOCUMENT["data_source_schemas"]),
    ):
        assert told.keys() == known.keys()
        for name, schema in known.items():
            assert _told(told[name].block) == _facts(schema["block"]), name
            assert told[name].version == schema.get("version", 0)


def test_the_token_is_marked_sensitive_in_the_providers_block(servicer: Servicer) -> None:
    block = servicer.GetProviderSchema(None, None).provider.block
    sensitive = {attribute.name for attribute in block.attributes if attribute.sensitive}
    assert {"private_key", "private_key_password"} <= sensitive


def _configure(servicer: Servicer) -> Any:
    config = dict.fromkeys(Provider(environment={}).schema.provider.block.attributes)
    request = pb.ConfigureProvider.Request(config=pb.DynamicValue(msgpack=encode(config)))
    return servicer.ConfigureProvider(request, None)


def test_a_missing_override_is_an_error_diagnostic(servicer: Servicer) -> None:
    [diagnostic] = _configure(servicer).diagnostics
    assert diagnostic.severity == pb.Diagnostic.ERROR
    assert "oci_core.VirtualNetworkClient" in diagnostic.detail


def test_nothing_is_asked_of_a_service_before_it_is_configured(servicer: Servicer) -> None:
    request = pb.ReadResource.Request(
        type_name="oci_core_vcn", current_state=pb.DynamicValue(msgpack=encode({"id": "x"}))
    )
    [diagnostic] = servicer.ReadResource(request, None).diagnostics
    assert "before it configured" in diagnostic.detail


def test_a_plan_to_destroy_is_null(servicer: Servicer) -> None:
    null = pb.DynamicValue(msgpack=encode(None))
    request = pb.PlanResourceChange.Request(type_name="oci_core_vcn", proposed_new_state=null)
    answer = servicer.PlanResourceChange(request, None)
    assert decode(answer.planned_state.msgpack) is None
    assert not answer.diagnostics


class _Broken(Provider):
    def read(self, type_name: str, state: dict[str, Any]) -> dict[str, Any] | None:
        raise KeyError("hf_a_secret")


class _Refused(Provider):
    def read(self, type_name: str, state: dict[str, Any]) -> dict[str, Any] | None:
        raise ServiceFailure("400 InvalidParameter: no", "cidr_block")


_READ = pb.ReadResource.Request(
    type_name="oci_core_vcn", current_state=pb.DynamicValue(msgpack=encode({"id": "x"}))
)


def test_a_defect_of_ours_is_a_diagnostic_without_values() -> None:
    [diagnostic] = Servicer(_Broken(environment={})).ReadResource(_READ, None).diagnostics
    assert "ReadResource: KeyError" in diagnostic.detail
    assert "hf_a_secret" not in str(diagnostic)


def test_an_error_that_names_an_attribute_points_at_it() -> None:
    [diagnostic] = Servicer(_Refused(environment={})).ReadResource(_READ, None).diagnostics
    assert diagnostic.attribute.steps[0].attribute_name == "cidr_block"


def test_a_move_is_refused_politely(servicer: Servicer) -> None:
    request = pb.MoveResourceState.Request(
        source_type_name="aws_vpc", target_type_name="oci_core_vcn"
    )
    [diagnostic] = servicer.MoveResourceState(request, None).diagnostics
    assert "cannot move aws_vpc to oci_core_vcn" in diagnostic.detail


def test_a_stored_state_is_brought_to_this_schema(servicer: Servicer) -> None:
    stored = {
        "id": "x",
        "gone_since": 1,
        "route_rules": [{"network_entity_id": "n", "also_gone": 2}],
    }
    request = pb.UpgradeResourceState.Request(
        type_name="oci_core_route_table",
        raw_state=pb.RawState(json=json.dumps(stored).encode()),
    )
    state = decode(servicer.UpgradeResourceState(request, None).upgraded_state.msgpack)
    assert state["id"] == "x"
    assert state["display_name"] is None
    assert "gone_since" not in state
    [rule] = state["route_rules"]
    assert rule.keys() == {
        "cidr_block",
        "description",
        "destination",
        "destination_type",
        "network_entity_id",
        "route_type",
    }
