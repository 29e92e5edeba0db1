"""Terraform's values to the SDK's models and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocimock.terraform import schema, times
from ocimock.terraform.convert import from_model, to_flat, to_model, to_namespaced
from ocimock.terraform.exceptions import ConversionError, UnsupportedError
from ocimock.terraform.models import Field, Models, find
from ocimock.terraform.resources import RESOURCES
from ocimock.terraform.schema import Attribute, Block

CORE = Models("core")
SCIENCE = Models("data_science")
_MODELLED = sorted(name for name in RESOURCES if name != "oci_objectstorage_object")


def _without_computed(block: Block, values: dict[str, Any]) -> dict[str, Any]:
    """What of the values a configuration could have set."""
    kept: dict[str, Any] = {}
    for key, attribute in block.attributes.items():
        only_computed = attribute.computed and not attribute.optional
        kept[key] = None if only_computed else values[key]
    for key, nested in block.blocks.items():
        items = values[key]
        kept[key] = items and [_without_computed(nested.block, item) for item in items]
    return kept


@pytest.mark.parametrize("type_name", _MODELLED)
def test_every_field_of_every_resource_survives_both_ways(type_name: str) -> None:
    resource = RESOURCES[type_name]
    block = schema.load().resources[type_name].block
    values = _without_computed(block, _sample(resource.models, resource.model, block))
    model = to_model(resource.models, resource.model, block, values)
    # Nothing is carried over: every value comes out of the model.
    back = from_model(resource.models, block, model, {})
    assert _without_computed(block, back) == values


@pytest.mark.parametrize("type_name", _MODELLED)
def test_the_sdk_takes_what_a_create_sends(type_name: str) -> None:
    """The SDK checks each declared type when it serializes: our values must pass."""
    import oci

    resource = RESOURCES[type_name]
    block = schema.load().resources[type_name].block
    values = _sample(resource.models, resource.create, block)
    details = to_model(resource.models, resource.create, block, values)
    client = oci.base_client.BaseClient.__new__(oci.base_client.BaseClient)
    client.complex_type_mappings = vars(resource.models.module())
    client.type_mappings = {
        **oci.base_client.BaseClient.primitive_type_map,
        **vars(resource.models.module()),
    }
    assert client.sanitize_for_serialization(details, type(details).__name__)


_PORTS = schema.load().resources["oci_core_security_list"].block.blocks["ingress_security_rules"]


@pytest.mark.parametrize("protocol", ["tcp_options", "udp_options"])
def test_a_security_lists_bare_ports_are_the_destination_range(protocol: str) -> None:
    block = _PORTS.block.blocks[protocol].block
    name = protocol.replace("_o", "O").capitalize().replace("options", "Options")
    values = {"min": 29400, "max": 29400, "source_port_range": [{"min": 1, "max": 2}]}
    model = to_model(CORE, name, block, values)
    assert (model.destination_port_range.min, model.destination_port_range.max) == (29400, 29400)
    assert (model.source_port_range.min, model.source_port_range.max) == (1, 2)
    assert from_model(CORE, block, model, {}) == values


def test_a_source_range_alone_leaves_the_destination_open() -> None:
    block = _PORTS.block.blocks["tcp_options"].block
    values = {"min": None, "max": None, "source_port_range": [{"min": 1, "max": 2}]}
    model = to_model(CORE, "TcpOptions", block, values)
    assert model.destination_port_range is None
    assert from_model(CORE, block, model, {}) == values


@pytest.mark.parametrize(
    ("storage_type", "expected"),
    [
        ("OBJECT_STORAGE", "ObjectStorageMountConfigurationDetails"),
        ("FILE_STORAGE", "FileStorageMountConfigurationDetails"),
    ],
)
def test_a_discriminator_chooses_the_model(storage_type: str, expected: str) -> None:
    block = (
        schema.load()
        .resources["oci_datascience_notebook_session"]
        .block.blocks["notebook_session_storage_mount_configuration_details_list"]
        .block
    )
    values = {"storage_type": storage_type, "destination_directory_name": "data"}
    model = to_model(SCIENCE, "StorageMountConfigurationDetails", block, values)
    assert type(model).__name__ == expected


def test_what_the_subtype_cannot_hold_is_refused_not_dropped() -> None:
    block = (
        schema.load()
        .resources["oci_datascience_job"]
        .block.blocks["job_storage_mount_configuration_details_list"]
        .block
    )
    values = {
        "storage_type": "OBJECT_STORAGE",
        "destination_directory_name": "data",
        "mount_target_id": "ocid1.mounttarget.oc1..x",
    }
    with pytest.raises(UnsupportedError, match=r"mount_target_id.*ObjectStorageMount") as caught:
        to_model(SCIENCE, "StorageMountConfigurationDetails", block, values)
    assert caught.value.attribute == "mount_target_id"


@pytest.mark.parametrize(
    ("block", "name", "values", "message"),
    [
        (
            Block({"retention_duration": Attribute("string")}),
            "CreateLogDetails",
            {"retention_duration": "a month"},
            'retention_duration: "a month" is not a number',
        ),
        (
            Block({"defined_tags": Attribute(["map", "string"])}),
            "CreateLogDetails",
            {"defined_tags": {"loose": "x"}},
            '"loose" has no namespace',
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    block: Block, name: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        to_model(Models("logging"), name, block, values)


def test_a_bad_time_says_how_to_write_one() -> None:
    block = Block({"time_of_deletion": Attribute("string", optional=True)})
    with pytest.raises(ConversionError, match="2026-01-31T12:00:00Z"):
        to_model(
            Models("key_management"),
            "ScheduleVaultDeletionDetails",
            block,
            {"time_of_deletion": "tomorrow"},
        )


def test_what_the_model_lacks_is_carried_over() -> None:
    block = schema.load().resources["oci_vault_secret"].block
    secret = Models("vault").cls("Secret")(secret_name="token")
    content = [{"content": "aGk=", "content_type": "BASE64", "name": None, "stage": None}]
    state = from_model(Models("vault"), block, secret, {"secret_content": content})
    assert state["secret_content"] == content
    assert state["secret_name"] == "token"


_NAMES = st.text(st.characters(exclude_characters="."), min_size=1)


@given(st.dictionaries(st.tuples(_NAMES, _NAMES).map(".".join), st.text()))
def test_namespaced_tags_survive_both_ways(flat: dict[str, str]) -> None:
    assert to_flat(to_namespaced(flat)) == flat


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))
def test_times_survive_both_ways(moment: datetime) -> None:
    assert times.parse(times.to_state(moment)) == moment


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), "2026-11-22 12:00:00 +0000 UTC"),
        (datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC), "2026-01-02 03:04:05.12 +0000 UTC"),
    ],
)
def test_times_look_as_go_prints_them(moment: datetime, text: str) -> None:
    assert times.to_state(moment) == text


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-11-22T25:00:00Z", "12"])
def test_no_time_is_no_time(text: str) -> None:
    assert times.parse(text) is None


# Values that fill every field of a resource type, made from the schema and the SDK.

#: A valid value for each discriminator: it chooses the subtype of a model.
_DISCRIMINATORS = {
    "auto_scaling_policy_type": "THRESHOLD",
    "content_type": "BASE64",
    "deployment_type": "SINGLE_MODEL",
    "environment_configuration_type": "OCIR_CONTAINER",
    "generation_type": "PASSPHRASE",
    "infrastructure_type": "INSTANCE_POOL",
    "job_environment_type": "OCIR_CONTAINER",
    "job_infrastructure_type": "STANDALONE",
    "job_network_type": "DEFAULT_NETWORK",
    "job_node_type": "MULTI_NODE",
    "job_probe_check_type": "EXEC",
    "job_type": "DEFAULT",
    "metric_expression_rule_type": "PREDEFINED_EXPRESSION",
    "policy_type": "FIXED_SIZE",
    "rule_type": "SECRET_EXPIRY_RULE",
    "scaling_configuration_type": "THRESHOLD",
    "source_type": "OCISERVICE",
    "storage_type": "OBJECT_STORAGE",
    "target_system_type": "ADB",
    "type": "SearchDomain",
}
_MOMENT = "2026-11-22 12:00:00 +0000 UTC"


def _sample(models: Models, name: str, block: Block) -> dict[str, Any]:
    """Values for whatever the SDK model `name` has a field for; null or empty for the rest."""
    chosen: dict[str, str] = {}
    if hasattr(models.cls(name), "get_subtype"):
        chosen = {key: _DISCRIMINATORS[key] for key in block.attributes if key in _DISCRIMINATORS}
    name = models.subtype(name, chosen)
    fields = models.fields(name)
    values: dict[str, Any] = {}
    for key, attribute in block.attributes.items():
        field = find(fields, key)
        if key in chosen and field is not None:
            values[key] = chosen[key]
        else:
            values[key] = None if field is None else _value(models.cls(name), attribute, field)
    for key, nested in block.blocks.items():
        field = None if key == "timeouts" else find(fields, key)
        if nested.nesting == "single":
            values[key] = None
        elif field is None or not models.has(field.item):
            values[key] = []
        else:
            values[key] = [_sample(models, field.item, nested.block)]
    return values


def _value(cls: Any, attribute: Attribute, field: Field) -> Any:
    if attribute.kind == "number":
        return 7
    if attribute.kind == "bool":
        return True
    if attribute.kind == "string":
        return _text(cls, field)
    if attribute.kind == "map":
        return {"ns.key": "v"} if field.type.startswith("dict(str, dict") else {"key": "v"}
    if attribute.type[1] == "string":
        return [_text(cls, field)]
    # Lists of objects are computed: the service alone makes them.
    return None


def _text(cls: Any, field: Field) -> str:
    if field.type == "datetime":
        return "2026-11-22" if field.name.endswith("_date") else _MOMENT
    if field.type == "int":
        return "42"
    # An enumeration's values are constants of the class: STATE_ACTIVE for `state`.
    prefix = f"{field.name.upper()}_"
    allowed = (getattr(cls, name) for name in sorted(dir(cls)) if name.startswith(prefix))
    return next((value for value in allowed if isinstance(value, str)), f"a {field.name}")
