"""Each resource type through its life against a running ocimock, as Terraform would drive it.

The real Terraform binary does this in `tests/e2e`; here every type takes its turn in milliseconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE, TENANCY_ID
from ocimock.server.serve import ServerFile
from ocimock.terraform.provider import Provider
from ocimock.terraform.schema import Block
from ocimock.terraform.values import known

State = dict[str, Any]
_NUMBERS = itertools.count()


class Tenant:
    """Terraform's part: it keeps states, asks for plans and has them applied."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._standing: list[tuple[str, State]] = []

    def config(self, type_name: str, /, **values: Any) -> State:
        """A whole configuration: null for each attribute, nothing for each block left out."""
        return _filled(self.provider.schema.resources[type_name].block, values)

    def create(self, type_name: str, /, **values: Any) -> State:
        """Plan and apply a new resource; it is destroyed when the test is over."""
        config = self.config(type_name, **values)
        planned = self.provider.plan(type_name, config, None)
        applied = self.provider.apply(type_name, config, planned.state, None)
        if applied.state is not None:
            self._standing.append((type_name, applied.state))
        assert applied.error is None, applied.error
        state: State = applied.state
        return state

    def update(self, type_name: str, prior: State, /, **values: Any) -> State:
        config = self.config(type_name, **values)
        planned = self.provider.plan(type_name, config, prior)
        assert planned.state != prior, "nothing to update"
        assert planned.replace == []
        applied = self.provider.apply(type_name, config, planned.state, prior)
        assert applied.error is None, applied.error
        state: State = applied.state
        return state

    def assert_clean(self, type_name: str, state: State, /, **values: Any) -> State:
        """A refresh and a second plan find nothing to do."""
        fresh = self.provider.read(type_name, state)
        assert fresh is not None
        planned = self.provider.plan(type_name, self.config(type_name, **values), fresh)
        assert planned.state == fresh
        assert planned.replace == []
        return fresh

    def destroy(self, type_name: str, state: State) -> None:
        applied = self.provider.apply(type_name, None, None, state)
        assert applied.error is None, applied.error
        assert applied.state is None

    def forget(self, state: State) -> None:
        self._standing = [(kind, kept) for kind, kept in self._standing if kept is not state]

    def destroy_all(self) -> None:
        for type_name, state in reversed(self._standing):
            self.destroy(type_name, state)


def _filled(block: Block, values: State) -> State:
    unknown = values.keys() - {*block.attributes, *block.blocks}
    assert not unknown, f"no such attribute: {unknown}"
    filled: State = {name: values.get(name) for name in block.attributes}
    for name, nested in block.blocks.items():
        if nested.nesting == "single":
            filled[name] = values.get(name)
            continue
        filled[name] = [_filled(nested.block, item) for item in values.get(name, [])]
    return filled


@pytest.fixture
def tenant(server: ServerFile) -> Iterator[Tenant]:
    provider = Provider(server.environment)
    provider.configure({"region": "eu-frankfurt-1"})
    tenant = Tenant(provider)
    yield tenant
    tenant.destroy_all()


@pytest.fixture
def unique() -> str:
    return f"t{next(_NUMBERS)}"


@pytest.fixture
def vcn(tenant: Tenant) -> State:
    return tenant.create("oci_core_vcn", compartment_id=COMPARTMENT_ID, cidr_blocks=["10.0.0.0/16"])


@pytest.fixture
def bucket(tenant: Tenant, unique: str) -> State:
    return tenant.create(
        "oci_objectstorage_bucket",
        compartment_id=COMPARTMENT_ID,
        namespace=NAMESPACE,
        name=unique,
        versioning="Enabled",
    )


@pytest.fixture
def project(tenant: Tenant) -> State:
    return tenant.create("oci_datascience_project", compartment_id=COMPARTMENT_ID)


@pytest.fixture
def subnet(tenant: Tenant, vcn: State) -> State:
    return tenant.create(
        "oci_core_subnet",
        compartment_id=COMPARTMENT_ID,
        vcn_id=vcn["id"],
        cidr_block="10.0.1.0/24",
        prohibit_public_ip_on_vnic=True,
    )


@pytest.fixture
def vault(tenant: Tenant, unique: str) -> State:
    return tenant.create(
        "oci_kms_vault", compartment_id=COMPARTMENT_ID, display_name=unique, vault_type="DEFAULT"
    )


@pytest.fixture
def key(tenant: Tenant, vault: State, unique: str) -> State:
    return tenant.create(
        "oci_kms_key",
        compartment_id=COMPARTMENT_ID,
        display_name=unique,
        management_endpoint=vault["management_endpoint"],
        key_shape=[{"algorithm": "AES", "length": 32}],
    )


#: In the values, "{vcn.id}" stands for that fixture's attribute, "{unique}" for a new name.
_HERE = {"compartment_id": COMPARTMENT_ID}
_IN_VCN = {**_HERE, "vcn_id": "{vcn.id}"}
_IN_PROJECT = {**_HERE, "project_id": "{project.id}"}
_TAGGED = {"freeform_tags": {"stage": "demo"}}
_INGRESS = {
    "protocol": "6",
    "source": "10.0.1.0/24",
    "tcp_options": [{"min": 29400, "max": 29400}],
}
_ICMP = {"protocol": "1", "source": "10.0.1.0/24", "icmp_options": [{"type": 3, "code": 4}]}
_JOB = {
    **_IN_PROJECT,
    "display_name": "fine-tune",
    "delete_related_job_runs": True,
    "job_configuration_details": [
        {
            "job_type": "DEFAULT",
            "environment_variables": {"EPOCHS": "3"},
            "maximum_runtime_in_minutes": "60",
        }
    ],
    "job_infrastructure_configuration_details": [
        {
            "job_infrastructure_type": "ME_STANDALONE",
            "shape_name": "VM.GPU.A10.2",
            "block_storage_size_in_gbs": 512,
        }
    ],
    "job_storage_mount_configuration_details_list": [
        {
            "storage_type": "OBJECT_STORAGE",
            "destination_directory_name": "outputs",
            "bucket": "{bucket.name}",
            "namespace": NAMESPACE,
        }
    ],
}
_NOTEBOOK = {
    **_IN_PROJECT,
    "display_name": "bench",
    "notebook_session_configuration_details": [
        {
            "shape": "VM.Standard.E4.Flex",
            "subnet_id": "{subnet.id}",
            "block_storage_size_in_gbs": 100,
            "notebook_session_shape_config_details": [{"ocpus": 2, "memory_in_gbs": 32}],
        }
    ],
    "notebook_session_storage_mount_configuration_details_list": [
        {
            "storage_type": "OBJECT_STORAGE",
            "destination_directory_name": "models",
            "bucket": "{bucket.name}",
            "namespace": NAMESPACE,
        }
    ],
}
_SECRET = {
    **_HERE,
    "vault_id": "{vault.id}",
    "key_id": "{key.id}",
    "secret_name": "{unique}",
    "secret_content": [{"content_type": "BASE64", "content": "aGZfdG9rZW4="}],
}

#: (type, configuration, what an update changes)
_LIVES: list[tuple[str, State, State]] = [
    ("oci_core_vcn", {**_HERE, "cidr_blocks": ["10.1.0.0/16"], "dns_label": "net"}, _TAGGED),
    (
        "oci_core_subnet",
        {**_IN_VCN, "cidr_block": "10.0.2.0/24", "prohibit_public_ip_on_vnic": True},
        {"display_name": "private"},
    ),
    (
        "oci_core_security_list",
        {
            **_IN_VCN,
            "egress_security_rules": [{"destination": "0.0.0.0/0", "protocol": "all"}],
            "ingress_security_rules": [_INGRESS, _ICMP],
        },
        {"ingress_security_rules": [_ICMP]},
    ),
    (
        "oci_core_security_list",
        {**_IN_VCN, "ingress_security_rules": [_INGRESS]},
        {"ingress_security_rules": []},
    ),
    ("oci_core_nat_gateway", {**_IN_VCN}, {"block_traffic": True}),
    ("oci_core_internet_gateway", {**_IN_VCN}, {"enabled": False}),
    ("oci_core_route_table", {**_IN_VCN}, {"display_name": "routes"}),
    ("oci_core_network_security_group", {**_IN_VCN}, {"display_name": "group"}),
    (
        "oci_core_dhcp_options",
        {
            **_IN_VCN,
            "options": [
                {"type": "DomainNameServer", "server_type": "VcnLocalPlusInternet"},
                {"type": "SearchDomain", "search_domain_names": ["example.com"]},
            ],
        },
        {"display_name": "names"},
    ),
    (
        "oci_objectstorage_bucket",
        {**_HERE, "namespace": NAMESPACE, "name": "{unique}"},
        {"versioning": "Enabled", "access_type": "ObjectRead"},
    ),
    (
        "oci_identity_dynamic_group",
        {
            "compartment_id": TENANCY_ID,
            "name": "{unique}",
            "description": "jobs",
            "matching_rule": "any {all {resource.type='datasciencejobrun'}}",
        },
        {"matching_rule": "any {all {resource.type='datasciencenotebooksession'}}"},
    ),
    (
        "oci_identity_policy",
        {
            **_HERE,
            "name": "{unique}",
            "description": "network",
            "statements": [
                "allow service datascience to use virtual-network-family in compartment id "
                + COMPARTMENT_ID
            ],
        },
        {"description": "network for jobs"},
    ),
    (
        "oci_identity_compartment",
        {**_HERE, "name": "{unique}", "description": "below", "enable_delete": True},
        {"description": "still below"},
    ),
    ("oci_logging_log_group", {**_HERE, "display_name": "{unique}"}, {"description": "jobs"}),
    ("oci_artifacts_container_repository", {**_HERE, "display_name": "{unique}"}, _TAGGED),
    (
        "oci_kms_vault",
        {**_HERE, "display_name": "{unique}", "vault_type": "DEFAULT"},
        {"display_name": "renamed"},
    ),
    (
        "oci_kms_key",
        {
            **_HERE,
            "display_name": "{unique}",
            "management_endpoint": "{vault.management_endpoint}",
            "key_shape": [{"algorithm": "AES", "length": 32}],
        },
        {"desired_state": "DISABLED"},
    ),
    ("oci_vault_secret", _SECRET, {"description": "Hugging Face"}),
    ("oci_datascience_project", {**_HERE, "display_name": "lab"}, {"description": "llamas"}),
    ("oci_datascience_notebook_session", _NOTEBOOK, {"display_name": "bench 2"}),
    ("oci_datascience_notebook_session", _NOTEBOOK, {"state": "INACTIVE"}),
    ("oci_datascience_job", _JOB, {"description": "LoRA"}),
    (
        "oci_datascience_model_version_set",
        {**_IN_PROJECT, "name": "{unique}"},
        {"description": "llamas"},
    ),
]


@pytest.fixture
def resolve(request: pytest.FixtureRequest) -> Any:
    """Put fixtures in the place of their "{name.attribute}"."""

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: resolved(item) for name, item in value.items()}
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if isinstance(value, str) and value.startswith("{"):
            fixture, _, attribute = value.strip("{}").partition(".")
            found = request.getfixturevalue(fixture)
            return found[attribute] if attribute else found
        return value

    return resolved


@pytest.mark.parametrize(
    ("type_name", "config", "change"), _LIVES, ids=[f"{n}-{'-'.join(c)}" for n, _, c in _LIVES]
)
def test_a_life(tenant: Tenant, resolve: Any, type_name: str, config: State, change: State) -> None:
    config = resolve(config)
    state = tenant.create(type_name, **config)
    assert known(state) == state
    state = tenant.assert_clean(type_name, state, **config)

    changed = {**config, **change}
    state = tenant.update(type_name, state, **changed)
    state = tenant.assert_clean(type_name, state, **changed)

    tenant.destroy(type_name, state)
    assert tenant.provider.read(type_name, state) is None


def test_destroying_what_is_gone_is_no_error(tenant: Tenant, vcn: State) -> None:
    tenant.destroy("oci_core_vcn", vcn)
    tenant.destroy("oci_core_vcn", vcn)


def test_an_objects_content_is_tracked_by_its_checksum(tenant: Tenant, bucket: State) -> None:
    where = {"namespace": NAMESPACE, "bucket": bucket["name"], "object": "definitions/a.yaml"}
    config = {**where, "content": "kind: job\n", "delete_all_object_versions": True}
    state = tenant.create("oci_objectstorage_object", **config)
    assert state["id"] == f"n/{NAMESPACE}/b/{bucket['name']}/o/definitions%2Fa.yaml"
    tenant.assert_clean("oci_objectstorage_object", state, **config)

    changed = tenant.config("oci_objectstorage_object", **{**config, "content": "kind: other\n"})
    planned = tenant.provider.plan("oci_objectstorage_object", changed, state)
    assert planned.replace == [("content",)]


def test_an_object_from_a_file(tenant: Tenant, bucket: State, tmp_path: Path) -> None:
    source = tmp_path / "merge.py"
    source.write_text("print('merged')\n")
    config = {
        "namespace": NAMESPACE,
        "bucket": bucket["name"],
        "object": "recipes/merge.py",
        "source": str(source),
        "delete_all_object_versions": True,
    }
    state = tenant.create("oci_objectstorage_object", **config)
    assert state["content_length"] == str(source.stat().st_size)
    tenant.assert_clean("oci_objectstorage_object", state, **config)


def test_an_object_is_renamed_in_place(tenant: Tenant, bucket: State) -> None:
    where = {"namespace": NAMESPACE, "bucket": bucket["name"], "delete_all_object_versions": True}
    state = tenant.create("oci_objectstorage_object", **where, object="a", content="x")
    tenant.forget(state)
    state = tenant.update("oci_objectstorage_object", state, **where, object="b", content="x")
    assert state["id"].endswith("/o/b")
    tenant.assert_clean("oci_objectstorage_object", state, **where, object="b", content="x")
    tenant.destroy("oci_objectstorage_object", state)


def test_a_missing_source_is_named(tenant: Tenant, bucket: State, tmp_path: Path) -> None:
    config = tenant.config(
        "oci_objectstorage_object",
        namespace=NAMESPACE,
        bucket=bucket["name"],
        object="o",
        source=str(tmp_path / "nothing"),
    )
    planned = tenant.provider.plan("oci_objectstorage_object", config, None)
    applied = tenant.provider.apply("oci_objectstorage_object", config, planned.state, None)
    assert applied.state is None
    assert applied.error is not None
    assert applied.error.attribute == "source"


def test_a_log_lives_in_its_group(tenant: Tenant, unique: str) -> None:
    here = {"compartment_id": COMPARTMENT_ID}
    group = tenant.create("oci_logging_log_group", **here, display_name=unique)
    other = tenant.create("oci_logging_log_group", **here, display_name=f"{unique}-other")
    config = {
        "log_group_id": group["id"],
        "display_name": "job",
        "log_type": "CUSTOM",
        "retention_duration": 30,
    }
    state = tenant.create("oci_logging_log", **config)
    tenant.forget(state)
    state = tenant.assert_clean("oci_logging_log", state, **config)

    config = {**config, "retention_duration": 60, "log_group_id": other["id"]}
    state = tenant.update("oci_logging_log", state, **config)
    state = tenant.assert_clean("oci_logging_log", state, **config)
    assert (state["retention_duration"], state["log_group_id"]) == (60, other["id"])
    tenant.destroy("oci_logging_log", state)
    assert tenant.provider.read("oci_logging_log", state) is None


def test_a_rule_lives_in_its_network_security_group(tenant: Tenant, vcn: State) -> None:
    group = tenant.create(
        "oci_core_network_security_group", compartment_id=COMPARTMENT_ID, vcn_id=vcn["id"]
    )
    type_name = "oci_core_network_security_group_security_rule"
    config = {
        "network_security_group_id": group["id"],
        "direction": "INGRESS",
        "protocol": "6",
        "source": "10.0.0.0/16",
        "source_type": "CIDR_BLOCK",
        "tcp_options": [{"destination_port_range": [{"min": 29400, "max": 29400}]}],
    }
    state = tenant.create(type_name, **config)
    tenant.forget(state)
    state = tenant.assert_clean(type_name, state, **config)
    config = {**config, "tcp_options": [{"destination_port_range": [{"min": 1, "max": 9}]}]}
    state = tenant.update(type_name, state, **config)
    state = tenant.assert_clean(type_name, state, **config)
    tenant.destroy(type_name, state)
    assert tenant.provider.read(type_name, state) is None


def test_routes_through_both_gateways(tenant: Tenant, vcn: State) -> None:
    everything = tenant.provider.read_data(
        "oci_core_services",
        {"id": None, "filter": [{"name": "name", "values": ["All .* Services"], "regex": True}]},
    )["services"][0]
    common = {"compartment_id": COMPARTMENT_ID, "vcn_id": vcn["id"]}
    nat = tenant.create("oci_core_nat_gateway", **common)
    gateway_config = {**common, "services": [{"service_id": everything["id"]}]}
    gateway = tenant.create("oci_core_service_gateway", **gateway_config)
    tenant.assert_clean("oci_core_service_gateway", gateway, **gateway_config)
    assert gateway["services"][0]["service_name"] == everything["name"]
    rules = [
        {"destination": "0.0.0.0/0", "network_entity_id": nat["id"]},
        {
            "destination": everything["cidr_block"],
            "destination_type": "SERVICE_CIDR_BLOCK",
            "network_entity_id": gateway["id"],
        },
    ]
    state = tenant.create("oci_core_route_table", **common, route_rules=rules)
    tenant.assert_clean("oci_core_route_table", state, **common, route_rules=rules[::-1])


def test_a_change_of_compartment_moves_the_resource(tenant: Tenant, vcn: State) -> None:
    values = {"cidr_blocks": ["10.0.0.0/16"]}
    state = tenant.update("oci_core_vcn", vcn, **values, compartment_id=TENANCY_ID)
    assert state["compartment_id"] == TENANCY_ID
    tenant.assert_clean("oci_core_vcn", state, **values, compartment_id=TENANCY_ID)


def test_a_vcn_takes_a_second_block(tenant: Tenant, vcn: State) -> None:
    blocks = ["10.0.0.0/16", "10.9.0.0/16"]
    state = tenant.update("oci_core_vcn", vcn, compartment_id=COMPARTMENT_ID, cidr_blocks=blocks)
    assert state["cidr_blocks"] == blocks


def test_a_secrets_new_content_is_a_new_version(tenant: Tenant, resolve: Any) -> None:
    config = resolve(_SECRET)
    state = tenant.create("oci_vault_secret", **config)
    tenant.forget(state)
    content = [{"content_type": "BASE64", "content": "aGZfb3RoZXI="}]
    state = tenant.update("oci_vault_secret", state, **{**config, "secret_content": content})
    assert state["current_version_number"] == "2"
    tenant.destroy("oci_vault_secret", state)


def test_a_jobs_artifact_goes_up(tenant: Tenant, resolve: Any, tmp_path: Path) -> None:
    artifact = tmp_path / "train.py"
    artifact.write_text("print('hello')\n")
    config = {**resolve(_JOB), "job_artifact": str(artifact)}
    state = tenant.create("oci_datascience_job", **config)
    assert state["empty_artifact"] is False
    tenant.assert_clean("oci_datascience_job", state, **config)


def test_drift_shows_in_the_plan(tenant: Tenant, vcn: State) -> None:
    config = {"compartment_id": COMPARTMENT_ID, "cidr_blocks": ["10.0.0.0/16"]}
    mine = {**config, "display_name": "mine"}
    state = tenant.update("oci_core_vcn", vcn, **mine)
    # Somebody else renames it: what Terraform knew stays behind.
    tenant.update("oci_core_vcn", state, **{**config, "display_name": "theirs"})
    fresh = tenant.provider.read("oci_core_vcn", state)
    assert fresh is not None
    assert fresh["display_name"] == "theirs"
    planned = tenant.provider.plan("oci_core_vcn", tenant.config("oci_core_vcn", **mine), fresh)
    assert planned.state["display_name"] == "mine"
    assert planned.replace == []


@pytest.mark.parametrize("stranger", ["ocid1.vcn.oc1.fra.aaaanobody"])
def test_a_resource_that_is_not_there_is_read_as_none(tenant: Tenant, stranger: str) -> None:
    imported = tenant.provider.import_state("oci_core_vcn", stranger)
    assert tenant.provider.read("oci_core_vcn", imported) is None


def test_imports_by_composite_id(tenant: Tenant, bucket: State) -> None:
    where = {"namespace": NAMESPACE, "bucket": bucket["name"], "delete_all_object_versions": True}
    item = tenant.create("oci_objectstorage_object", **where, object="a/b", content="x")
    for type_name, state in (
        ("oci_objectstorage_bucket", bucket),
        ("oci_objectstorage_object", item),
    ):
        imported = tenant.provider.import_state(type_name, state["id"])
        found = tenant.provider.read(type_name, imported)
        assert found is not None
        assert found["id"] == state["id"]
        assert found["namespace"] == NAMESPACE


def test_a_bad_import_id_says_what_it_should_be(tenant: Tenant) -> None:
    from ocimock.terraform.exceptions import ImportIdError

    with pytest.raises(ImportIdError, match=r"n/{namespaceName}/b/{bucketName}"):
        tenant.provider.import_state("oci_objectstorage_bucket", "models")


def test_a_refusal_points_at_the_attribute(tenant: Tenant, vcn: State) -> None:
    config = tenant.config(
        "oci_core_subnet",
        compartment_id=COMPARTMENT_ID,
        vcn_id=vcn["id"],
        cidr_block="192.168.0.0/24",
    )
    planned = tenant.provider.plan("oci_core_subnet", config, None)
    applied = tenant.provider.apply("oci_core_subnet", config, planned.state, None)
    assert applied.state is None
    assert applied.error is not None
    assert str(applied.error).startswith("400 ")
    assert "Operation: create_subnet" in str(applied.error)


def test_what_the_stand_in_cannot_do_is_refused_before_anything_is_made(
    tenant: Tenant, unique: str
) -> None:
    config = tenant.config(
        "oci_objectstorage_bucket",
        compartment_id=COMPARTMENT_ID,
        namespace=NAMESPACE,
        name=unique,
        retention_rules=[{"display_name": "keep"}],
    )
    planned = tenant.provider.plan("oci_objectstorage_bucket", config, None)
    applied = tenant.provider.apply("oci_objectstorage_bucket", config, planned.state, None)
    assert applied.error is not None
    assert applied.error.attribute == "retention_rules"
    imported = tenant.provider.import_state("oci_objectstorage_bucket", f"n/{NAMESPACE}/b/{unique}")
    assert tenant.provider.read("oci_objectstorage_bucket", imported) is None


@pytest.mark.parametrize(
    ("type_name", "items"),
    [
        ("oci_core_services", "services"),
        ("oci_identity_availability_domains", "availability_domains"),
        ("oci_identity_compartments", "compartments"),
        ("oci_datascience_notebook_session_shapes", "notebook_session_shapes"),
    ],
)
def test_data_sources_list_and_filter(tenant: Tenant, type_name: str, items: str) -> None:
    block = tenant.provider.schema.data_sources[type_name].block
    config = _filled(block, {})
    if "compartment_id" in block.attributes:
        config["compartment_id"] = TENANCY_ID
    everything = tenant.provider.read_data(type_name, config)
    assert everything[items]
    name = everything[items][0]["name"]
    wanted = {**config, "filter": [{"name": "name", "values": [name], "regex": None}]}
    assert {item["name"] for item in tenant.provider.read_data(type_name, wanted)[items]} == {name}
    again = tenant.provider.read_data(type_name, config)
    assert again == everything


def test_the_namespace(tenant: Tenant) -> None:
    config = {"id": None, "compartment_id": COMPARTMENT_ID, "namespace": None}
    found = tenant.provider.read_data("oci_objectstorage_namespace", config)
    assert found["namespace"] == NAMESPACE


def test_an_unknown_filter_field_is_named(tenant: Tenant) -> None:
    from ocimock.terraform.exceptions import ConversionError

    wanted = {"id": None, "filter": [{"name": "colour", "values": ["red"], "regex": None}]}
    with pytest.raises(ConversionError, match=r"colour.*cidr_block, description, id, name"):
        tenant.provider.read_data("oci_core_services", wanted)
