"""Resources that depart from the common way, data sources, imports and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE, TENANCY_ID
from ocimock.server.announcement import ServerFile
from ocimock.terraform.calls import Calls
from ocimock.terraform.clients import (
    CORE,
    Clients,
    Credentials,
    Service,
    read_credentials,
    read_endpoints,
)
from ocimock.terraform.driver import Change, Driver
from ocimock.terraform.drivers import JobRunDriver
from ocimock.terraform.exceptions import ConversionError, ImportIdError, WaitError
from ocimock.terraform.resource import md5_of
from ocimock.terraform.resources import RESOURCES
from ocimock.terraform.values import known
from tests.ocimock.terraform.tenant import HERE, JOB, NOTEBOOK, SECRET, State, Tenant, filled

_NOBODY = Credentials("t", "u", "f", "r", "k")


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


def test_an_objects_drift_shows_in_its_checksum(tenant: Tenant, bucket: State) -> None:
    where = {"namespace": NAMESPACE, "bucket": bucket["name"], "delete_all_object_versions": True}
    state = tenant.create("oci_objectstorage_object", **where, object="o", content="mine")
    tenant.create("oci_objectstorage_object", **where, object="o", content="theirs")
    fresh = tenant.provider.read("oci_objectstorage_object", state)
    assert fresh is not None
    assert fresh["content"] == md5_of("theirs")
    mine = tenant.config("oci_objectstorage_object", **where, object="o", content="mine")
    planned = tenant.provider.plan("oci_objectstorage_object", mine, fresh)
    assert planned.replace == [("content",)]


def test_all_versions_of_one_object_are_deleted_and_no_other(tenant: Tenant, bucket: State) -> None:
    where = {"namespace": NAMESPACE, "bucket": bucket["name"], "delete_all_object_versions": True}
    state = tenant.create("oci_objectstorage_object", **where, object="a", content="1")
    longer = tenant.create("oci_objectstorage_object", **where, object="ab", content="2")
    tenant.destroy("oci_objectstorage_object", state)
    assert tenant.provider.read("oci_objectstorage_object", longer) == longer


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
    config = resolve(SECRET)
    state = tenant.create("oci_vault_secret", **config)
    tenant.forget(state)
    content = [{"content_type": "BASE64", "content": "aGZfb3RoZXI="}]
    state = tenant.update("oci_vault_secret", state, **{**config, "secret_content": content})
    assert state["current_version_number"] == "2"
    tenant.destroy("oci_vault_secret", state)


def test_a_keys_desired_state_is_the_state_that_it_has(tenant: Tenant, key: State) -> None:
    assert key["desired_state"] == "ENABLED"


def test_a_notebook_session_changes_while_it_is_off(
    tenant: Tenant, resolve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    call = Calls.call

    def recording(self: Calls, service: Service, operation: str, *rest: Any, **more: Any) -> Any:
        asked.append(operation)
        return call(self, service, operation, *rest, **more)

    config = resolve(NOTEBOOK)
    state = tenant.create("oci_datascience_notebook_session", **config)
    monkeypatch.setattr(Calls, "call", recording)
    state = tenant.update(
        "oci_datascience_notebook_session", state, **{**config, "display_name": "bench 2"}
    )
    assert [operation for operation in asked if not operation.startswith("get_")] == [
        "deactivate_notebook_session",
        "update_notebook_session",
        "activate_notebook_session",
    ]
    assert state["state"] == "ACTIVE"


def test_a_jobs_artifact_goes_up(tenant: Tenant, resolve: Any, tmp_path: Path) -> None:
    artifact = tmp_path / "train.py"
    artifact.write_text("print('hello')\n")
    config = {**resolve(JOB), "job_artifact": str(artifact)}
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
    assert applied.error.attribute == "cidr_block"


def test_what_was_made_but_failed_to_settle_stays_in_the_state(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> State:
        raise WaitError("The resource is FAILED")

    config = tenant.config("oci_core_vcn", **HERE, cidr_blocks=["10.0.0.0/16"])
    planned = tenant.provider.plan("oci_core_vcn", config, None)
    with monkeypatch.context() as broken:
        broken.setattr(Driver, "settle", fail)
        applied = tenant.provider.apply("oci_core_vcn", config, planned.state, None)
    assert isinstance(applied.error, WaitError)
    # Whole and known, or Terraform could not keep it; with an id, so that it can destroy it.
    assert known(applied.state) == applied.state
    assert applied.state["byoipv6cidr_details"] == []
    tenant.destroy("oci_core_vcn", applied.state)


def test_no_proxy_leads_a_call_away(server: ServerFile) -> None:
    credentials = read_credentials({"region": "eu-frankfurt-1"}, server.environment)
    made = Clients(credentials, read_endpoints(server.environment))
    assert made.client(CORE).base_client.session.trust_env is False


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
    config = filled(block, {})
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
    wanted = {"id": None, "filter": [{"name": "colour", "values": ["red"], "regex": None}]}
    with pytest.raises(ConversionError, match=r"colour.*cidr_block, description, id, name"):
        tenant.provider.read_data("oci_core_services", wanted)


@pytest.fixture
def model(tenant: Tenant, project: State, tmp_path: Path) -> State:
    return tenant.create("oci_datascience_model", **_model(project, tmp_path))


def _model(project: State, folder: Path) -> State:
    artifact = folder / "model.zip"
    artifact.write_bytes(b"PK\x05\x06" + bytes(18))
    return {
        "compartment_id": COMPARTMENT_ID,
        "project_id": project["id"],
        "display_name": "llama",
        "model_artifact": str(artifact),
        "artifact_content_length": str(artifact.stat().st_size),
        "freeform_tags": {"stage": "demo"},
    }


def test_a_models_artifact_goes_up(
    tenant: Tenant, model: State, project: State, tmp_path: Path
) -> None:
    config = _model(project, tmp_path)
    assert model["empty_model"] is False
    assert model["artifact_content_disposition"] == "attachment; filename=model.zip"
    state = tenant.assert_clean("oci_datascience_model", model, **config)
    config = {**config, "description": "merged"}
    state = tenant.update("oci_datascience_model", state, **config)
    tenant.assert_clean("oci_datascience_model", state, **config)


def test_a_model_deployment_is_made_changed_and_switched_off(
    tenant: Tenant, model: State, project: State
) -> None:
    type_name = "oci_datascience_model_deployment"
    config = {
        "compartment_id": COMPARTMENT_ID,
        "project_id": project["id"],
        "display_name": "serve",
        "model_deployment_configuration_details": [
            {
                "deployment_type": "SINGLE_MODEL",
                "model_configuration_details": [
                    {
                        "model_id": model["id"],
                        "bandwidth_mbps": 10,
                        "instance_configuration": [{"instance_shape_name": "VM.GPU.A10.2"}],
                        "scaling_policy": [{"policy_type": "FIXED_SIZE", "instance_count": 1}],
                    }
                ],
                "environment_configuration_details": [
                    {
                        "environment_configuration_type": "OCIR_CONTAINER",
                        "image": "dsmc://odsc-vllm-serving:0.6",
                        "server_port": 8080,
                        "health_check_port": 8080,
                        "environment_variables": {"PARAMS": "--max-model-len 4096"},
                    }
                ],
            }
        ],
    }
    state = tenant.create(type_name, **config)
    assert state["state"] == "ACTIVE"
    state = tenant.assert_clean(type_name, state, **config)
    for change in ({"display_name": "serve 2"}, {"display_name": "serve 2", "state": "INACTIVE"}):
        config = {**config, **change}
        state = tenant.update(type_name, state, **config)
        state = tenant.assert_clean(type_name, state, **config)
    assert state["state"] == "INACTIVE"


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_job_run(
    tenant: Tenant, resolve: Any, project: State, tmp_path: Path, asynchronous: bool
) -> None:
    artifact = tmp_path / "train.py"
    artifact.write_text("print('hello')\n")
    job = tenant.create("oci_datascience_job", **resolve(JOB), job_artifact=str(artifact))
    config = {
        "compartment_id": COMPARTMENT_ID,
        "project_id": project["id"],
        "job_id": job["id"],
        "asynchronous": asynchronous,
    }
    state = tenant.create("oci_datascience_job_run", **config)
    if not asynchronous:
        assert state["state"] == "SUCCEEDED"
    tenant.assert_clean("oci_datascience_job_run", state, **config)


@pytest.mark.parametrize(("asynchronous", "expected"), [(True, "ACCEPTED"), (False, "SUCCEEDED")])
def test_a_job_run_is_waited_for_unless_it_is_asynchronous(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, asynchronous: bool, expected: str
) -> None:
    resource = RESOURCES["oci_datascience_job_run"]
    block = tenant.provider.schema.resources["oci_datascience_job_run"].block
    left = ["ACCEPTED", "IN_PROGRESS", "SUCCEEDED"]
    calls = Calls(Clients(_NOBODY, {}), sleep=lambda _: None)
    driver = JobRunDriver(resource, block, calls)
    monkeypatch.setattr(
        driver,
        "fetch",
        lambda _: resource.models.cls("JobRun")(id="r", lifecycle_state=left.pop(0)),
    )
    planned = filled(block, {"asynchronous": asynchronous})
    assert driver.settle(planned, Change(planned, planned))["state"] == expected
