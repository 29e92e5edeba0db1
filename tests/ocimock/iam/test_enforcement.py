"""Policies at work on real clients: a second user, resource principals, strangers, searches."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import oci
import pytest
import requests

from ocimock import mock_oci
from ocimock.iam import enforcement
from ocimock.iam.principals import of_resource, of_service
from ocimock.services.core.operations import SERVICE as CORE
from ocimock.wire.errors import NotAuthorizedOrNotFound, NotImplementedByMock
from tests.ocimock.iam.world import World
from tests.ocimock.support import refused

ids = oci.identity.models
oss = oci.object_storage.models
NO_BUCKET = (404, "BucketNotFound", "you are not authorized")
NOTHING = (404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found")


def test_without_a_policy_nothing_is_there(world: World, bucket: str) -> None:
    storage = world.storage()
    calls: list[Callable[[], Any]] = [
        lambda: storage.get_object("ocimock", bucket, "old"),
        lambda: storage.get_object("ocimock", "missing", "old"),
        lambda: storage.list_objects("ocimock", bucket),
        lambda: storage.put_object("ocimock", bucket, "new", b""),
        lambda: storage.delete_bucket("ocimock", bucket),
    ]
    for call in calls:
        with refused(*NO_BUCKET):
            call()
    with refused(*NOTHING, world.mocked.compartment_id):
        storage.list_buckets("ocimock", world.mocked.compartment_id)
    assert storage.get_namespace().data == "ocimock"
    with refused(*NOTHING):
        storage.get_namespace(compartment_id=world.mocked.compartment_id)


def test_what_may_not_be_seen_looks_like_what_is_not_there(world: World) -> None:
    admin, ada = world.network(as_ada=False), world.network()
    details = oci.core.models.CreateVcnDetails(
        compartment_id=world.mocked.compartment_id, cidr_block="10.0.0.0/16"
    )
    vcn = admin.create_vcn(details).data.id
    missing = vcn[:-4] + "zzzz"
    told = []
    for client, identifier in ((ada, vcn), (ada, missing), (admin, missing)):
        with refused(*NOTHING) as caught:
            client.get_vcn(identifier)
        told.append(caught.value.message.replace(identifier, "…"))
    assert len(set(told)) == 1


def test_an_objects_being_there_decides_what_it_takes(world: World, bucket: str) -> None:
    world.allow("Allow group people to use objects in tenancy where target.bucket.name='data'")
    storage = world.storage()
    storage.put_object("ocimock", bucket, "old", b"newer")
    assert storage.get_object("ocimock", bucket, "old").data.content == b"newer"
    with refused(*NO_BUCKET):
        storage.put_object("ocimock", bucket, "new", b"")
    with refused(*NO_BUCKET):
        storage.delete_object("ocimock", bucket, "old")
    world.allow("Allow group people to {OBJECT_CREATE, OBJECT_DELETE} in tenancy")
    storage.put_object("ocimock", bucket, "new", b"")
    storage.delete_object("ocimock", bucket, "new")
    with refused(*NO_BUCKET):
        storage.delete_object("ocimock", bucket, "old", version_id="x")


def test_conditions_see_the_object(world: World, bucket: str) -> None:
    world.allow("Allow group people to manage objects in tenancy where target.object.name='o*'")
    storage = world.storage()
    storage.put_object("ocimock", bucket, "other", b"")
    assert storage.get_object("ocimock", bucket, "old").data.content == b"old"
    with refused(*NO_BUCKET):
        storage.put_object("ocimock", bucket, "a", b"")
    # A list is about no one object, so that a condition on its name is not met.
    with refused(*NO_BUCKET):
        storage.list_objects("ocimock", bucket)
    copy = oss.CopyObjectDetails(
        source_object_name="old",
        destination_region="eu-frankfurt-1",
        destination_namespace="ocimock",
        destination_bucket=bucket,
        destination_object_name="a",
    )
    with refused(*NO_BUCKET):
        storage.copy_object("ocimock", bucket, copy)
    copy.destination_object_name = "o2"
    assert storage.copy_object("ocimock", bucket, copy).status == 202


def test_rights_end_with_the_policy_and_with_the_membership(world: World, bucket: str) -> None:
    policy = world.allow("Allow group people to read objects in compartment sandbox")
    storage, admin = world.storage(), world.identity()
    assert storage.get_object("ocimock", bucket, "old").status == 200
    admin.update_policy(
        policy, ids.UpdatePolicyDetails(statements=["Allow group people to read vcns in tenancy"])
    )
    with refused(*NO_BUCKET):
        storage.get_object("ocimock", bucket, "old")
    admin.delete_policy(policy)
    world.allow("Allow group people to read objects in compartment sandbox")
    assert storage.get_object("ocimock", bucket, "old").status == 200
    (member,) = admin.list_user_group_memberships(world.mocked.tenancy_id, user_id=world.ada).data
    admin.remove_user_from_group(member.id)
    with refused(*NO_BUCKET):
        storage.get_object("ocimock", bucket, "old")


def test_a_users_own_record_and_keys_need_no_policy(world: World) -> None:
    own = world.identity(as_ada=True)
    assert own.get_user(world.ada).data.name == "ada"
    (key,) = own.list_api_keys(world.ada).data
    own.delete_api_key(world.ada, key.fingerprint)
    with refused(*NOTHING):
        world.identity(as_ada=True).get_user(world.mocked.user_id)
    with refused(*NOTHING):
        world.identity(as_ada=True).list_users(world.mocked.tenancy_id)


def test_ada_can_not_make_herself_an_administrator(world: World) -> None:
    own, admin = world.identity(as_ada=True), world.identity()
    groups = admin.list_groups(world.mocked.tenancy_id).data
    (administrators,) = [group.id for group in groups if group.name == "Administrators"]
    details = ids.AddUserToGroupDetails(user_id=world.ada, group_id=administrators)
    world.allow("Allow group people to use users in tenancy")
    with refused(*NOTHING):
        own.add_user_to_group(details)
    world.allow("Allow group people to use groups in tenancy where target.group.name='people'")
    with refused(*NOTHING):
        own.add_user_to_group(details)
    own.update_group(world.people, ids.UpdateGroupDetails(description="ours"))


def test_a_subnet_takes_rights_on_what_it_is_made_of(world: World) -> None:
    admin, ada = world.network(as_ada=False), world.network()
    here = world.mocked.compartment_id
    models = oci.core.models
    details = models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    vcn = admin.create_vcn(details).data.id
    wanted = models.CreateSubnetDetails(compartment_id=here, vcn_id=vcn, cidr_block="10.0.0.0/24")
    world.allow("Allow group people to manage subnets in tenancy")
    with refused(*NOTHING, here):
        ada.create_subnet(wanted)
    assert "manage vcns" in enforcement.decisions(world.mocked.cloud)[-1].missing
    world.allow("Allow group people to manage virtual-network-family in tenancy")
    subnet = ada.create_subnet(wanted).data
    ada.update_subnet(subnet.id, models.UpdateSubnetDetails(display_name="n"))
    ada.delete_subnet(subnet.id)


def test_a_job_in_a_subnet_takes_the_right_to_use_it(world: World) -> None:
    here = world.mocked.compartment_id
    admin, models = world.network(as_ada=False), oci.core.models
    vcn = admin.create_vcn(
        models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    ).data
    subnet = admin.create_subnet(
        models.CreateSubnetDetails(compartment_id=here, vcn_id=vcn.id, cidr_block="10.0.0.0/24")
    ).data.id
    science, data = world.client(oci.data_science.DataScienceClient), oci.data_science.models
    world.allow("Allow group people to manage data-science-family in tenancy")
    project = science.create_project(data.CreateProjectDetails(compartment_id=here)).data.id

    def infrastructure(subnet_id: str | None) -> Any:
        kind, model = "STANDALONE", data.StandaloneJobInfrastructureConfigurationDetails
        if subnet_id is None:
            kind = "ME_STANDALONE"
            model = data.ManagedEgressStandaloneJobInfrastructureConfigurationDetails
        details = model(
            job_infrastructure_type=kind, shape_name="VM.GPU.A10.2", block_storage_size_in_gbs=50
        )
        if subnet_id is not None:
            details.subnet_id = subnet_id
        return details

    def create(subnet_id: str | None) -> Any:
        return science.create_job(
            data.CreateJobDetails(
                compartment_id=here,
                project_id=project,
                job_configuration_details=data.DefaultJobConfigurationDetails(),
                job_infrastructure_configuration_details=infrastructure(subnet_id),
            )
        ).data

    def run(job: str, subnet_id: str) -> Any:
        return science.create_job_run(
            data.CreateJobRunDetails(
                compartment_id=here,
                project_id=project,
                job_id=job,
                job_infrastructure_configuration_override_details=infrastructure(subnet_id),
            )
        )

    job = create(None)
    with refused(*NOTHING):
        create(subnet)
    with refused(*NOTHING):
        run(job.id, subnet)
    world.allow("Allow group people to use virtual-network-family in tenancy")
    assert create(subnet).lifecycle_state == "ACTIVE"
    assert run(job.id, subnet).status == 200


def test_what_stays_as_it_is_takes_no_right(world: World) -> None:
    admin, ada = world.network(as_ada=False), world.network()
    here, models = world.mocked.compartment_id, oci.core.models
    vcn = admin.create_vcn(
        models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    ).data
    subnet = admin.create_subnet(
        models.CreateSubnetDetails(compartment_id=here, vcn_id=vcn.id, cidr_block="10.0.0.0/24")
    ).data
    other = admin.create_route_table(
        models.CreateRouteTableDetails(compartment_id=here, vcn_id=vcn.id, route_rules=[])
    ).data.id
    world.allow("Allow group people to manage subnets in tenancy")
    same = models.UpdateSubnetDetails(display_name="n", route_table_id=subnet.route_table_id)
    assert ada.update_subnet(subnet.id, same).data.display_name == "n"
    with refused(*NOTHING, subnet.id):
        ada.update_subnet(subnet.id, models.UpdateSubnetDetails(route_table_id=other))


def test_a_notebook_keeps_its_subnet_without_a_right_to_it(world: World) -> None:
    here, models = world.mocked.compartment_id, oci.core.models
    network, data = world.network(as_ada=False), oci.data_science.models
    vcn = network.create_vcn(
        models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    ).data
    first, second = (
        network.create_subnet(
            models.CreateSubnetDetails(
                compartment_id=here, vcn_id=vcn.id, cidr_block=f"10.0.{number}.0/24"
            )
        ).data.id
        for number in (1, 2)
    )
    world.allow(
        "Allow group people to manage data-science-family in tenancy",
        "Allow service datascience to use virtual-network-family in tenancy",
    )
    science = world.client(oci.data_science.DataScienceClient, as_ada=False)
    project = science.create_project(data.CreateProjectDetails(compartment_id=here)).data.id

    fields = {"shape": "VM.Standard2.1", "block_storage_size_in_gbs": 50}
    notebook = science.create_notebook_session(
        data.CreateNotebookSessionDetails(
            compartment_id=here,
            project_id=project,
            notebook_session_config_details=data.NotebookSessionConfigDetails(
                subnet_id=first, **fields
            ),
        )
    ).data.id
    own = world.client(oci.data_science.DataScienceClient)
    own.deactivate_notebook_session(notebook)
    assert own.get_notebook_session(notebook).data.lifecycle_state == "INACTIVE"

    def update(subnet: str) -> Any:
        return own.update_notebook_session(
            notebook,
            data.UpdateNotebookSessionDetails(
                notebook_session_configuration_details=data.NotebookSessionConfigurationDetails(
                    subnet_id=subnet, **fields
                )
            ),
        )

    assert update(first).status == 200
    with refused(*NOTHING):
        update(second)


def test_a_search_shows_what_the_caller_may_inspect(world: World, bucket: str) -> None:
    def found(*, as_ada: bool) -> set[str]:
        client = world.client(oci.resource_search.ResourceSearchClient, as_ada=as_ada)
        query = oci.resource_search.models.StructuredSearchDetails(query="query all resources")
        return {item.resource_type for item in client.search_resources(query).data.items}

    assert "Bucket" in found(as_ada=False)
    assert found(as_ada=True) == set()
    world.allow("Allow group people to inspect buckets in tenancy")
    assert found(as_ada=True) == {"Bucket"}


def test_links_need_no_policy(world: World, bucket: str) -> None:
    details = oss.CreatePreauthenticatedRequestDetails(
        name="l", object_name="old", access_type="ObjectRead", time_expires="2100-01-01T00:00:00Z"
    )
    with refused(*NO_BUCKET):
        world.storage().create_preauthenticated_request("ocimock", bucket, details)
    admin = world.storage(as_ada=False)
    made = admin.create_preauthenticated_request("ocimock", bucket, details).data
    host = "https://objectstorage.eu-frankfurt-1.oraclecloud.com"
    assert requests.get(host + made.access_uri, timeout=5).content == b"old"


@pytest.mark.parametrize(
    ("access", "object_status", "list_status"),
    [("NoPublicAccess", 404, 404), ("ObjectReadWithoutList", 200, 404), ("ObjectRead", 200, 200)],
)
def test_strangers_see_public_buckets(
    world: World, bucket: str, access: str, object_status: int, list_status: int
) -> None:
    details = oss.UpdateBucketDetails(public_access_type=access)
    world.storage(as_ada=False).update_bucket("ocimock", bucket, details)
    url = "https://objectstorage.eu-frankfurt-1.oraclecloud.com/n/ocimock/b/data/o"
    assert requests.get(f"{url}/old", timeout=5).status_code == object_status
    assert requests.get(url, timeout=5).status_code == list_status
    assert requests.put(f"{url}/old", b"", timeout=5).status_code == 404


def test_strangers_are_not_authenticated(world: World) -> None:
    url = "https://iaas.eu-frankfurt-1.oraclecloud.com/20160918/services"
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, "NotAuthenticated")


def test_the_log_says_which_statement_is_missing(
    world: World, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "ocimock.iam"), refused(*NO_BUCKET):
        world.storage().get_object("ocimock", bucket, "old")
    wanted = f"Allow group people to read objects in compartment id {world.mocked.compartment_id}"
    assert wanted in caplog.text
    decision = enforcement.decisions(world.mocked.cloud)[-1]
    assert (decision.allowed, decision.missing) == (False, wanted)


def test_a_denial_is_logged_with_its_statement(
    world: World, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    deny = "Deny group people to read objects in tenancy"
    world.allow("Allow group people to manage objects in tenancy", deny)
    with caplog.at_level(logging.WARNING, "ocimock.iam"), refused(*NO_BUCKET):
        world.storage().get_object("ocimock", bucket, "old")
    assert f"denied by '{deny}'" in caplog.text


def test_an_operation_that_the_tables_lack_is_not_waved_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocimock.iam.needs.needs_of", lambda _service, _operation: None)
    with refused(501, "NotImplemented", "core.list_vcns"):
        world.network(as_ada=False).list_vcns(world.mocked.compartment_id)


def test_what_is_not_implemented_says_so(world: World) -> None:
    assert "list_vlans" not in CORE.handlers
    with refused(501, "NotImplemented", "core.list_vlans"):
        world.network(as_ada=False).list_vlans(world.mocked.compartment_id)


def test_acts_are_asked_for(world: World, bucket: str) -> None:
    cloud = world.mocked.cloud
    service = of_service("datascience")

    def act(operation: str, **context: str) -> None:
        named = {name.replace("_", "."): value for name, value in context.items()}
        enforcement.demand(
            cloud,
            service,
            *operation.split("."),
            region="eu-frankfurt-1",
            compartment_id=world.mocked.compartment_id,
            context=named,
        )

    with pytest.raises(NotAuthorizedOrNotFound):
        act("core.attach_to_subnet")
    world.allow("Allow service datascience to use virtual-network-family in tenancy")
    act("core.attach_to_subnet")
    world.allow("Allow service datascience to use objects in tenancy")
    act("objectstorage.put_object", target_bucket_name=bucket, target_object_name="old")
    with pytest.raises(NotAuthorizedOrNotFound):
        act("objectstorage.put_object", target_bucket_name=bucket, target_object_name="new")
    with pytest.raises(NotImplementedByMock, match=r"core\.dance"):
        act("core.dance")


def test_without_enforcement_nothing_is_asked() -> None:
    with mock_oci() as mocked:
        enforcement.demand(
            mocked.cloud,
            of_service("nobody"),
            "core",
            "attach_to_subnet",
            region="eu-frankfurt-1",
            compartment_id="ocid1.compartment.oc1..missing",
            context={},
        )
        assert not enforcement.decisions(mocked.cloud)


def test_a_records_variables_are_a_context(world: World) -> None:
    cloud = world.mocked.cloud
    data = {"id": "ocid1.key.oc1..k", "vaultId": "v", "compartmentId": world.mocked.compartment_id}
    key = cloud.store.add("key", "ocid1.key.oc1..k", data)
    assert enforcement.context_of(key) == {
        "target.key.id": "ocid1.key.oc1..k",
        "target.vault.id": "v",
    }
    assert of_resource(cloud, key).kind == "resource"


def test_a_resource_calls_with_its_dynamic_groups_rights(
    world: World, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    science, data = (
        world.client(oci.data_science.DataScienceClient, as_ada=False),
        oci.data_science.models,
    )
    here = world.mocked.compartment_id
    project = science.create_project(data.CreateProjectDetails(compartment_id=here)).data
    for name, value in world.mocked.resource_principal(project.id).items():
        monkeypatch.setenv(name, value)
    signer = oci.auth.signers.get_resource_principals_signer()
    storage = oci.object_storage.ObjectStorageClient(
        {"region": "eu-frankfurt-1"}, signer=signer, retry_strategy=oci.retry.NoneRetryStrategy()
    )
    with refused(*NO_BUCKET):
        storage.get_object("ocimock", bucket, "old")
    world.identity().create_dynamic_group(
        ids.CreateDynamicGroupDetails(
            compartment_id=world.mocked.tenancy_id,
            name="projects",
            description="d",
            matching_rule=f"resource.id = '{project.id}'",
        )
    )
    world.allow("Allow dynamic-group projects to read objects in tenancy")
    assert storage.get_object("ocimock", bucket, "old").data.content == b"old"


def test_logs_metrics_and_keys_find_their_targets(world: World) -> None:
    """Each of these finds its target in a place of its own."""
    here = world.mocked.compartment_id
    logs = world.client(oci.loggingsearch.LogSearchClient)
    search = oci.loggingsearch.models.SearchLogsDetails(
        time_start="2026-01-01T00:00:00Z",
        time_end="2026-01-02T00:00:00Z",
        search_query=f'search "{here}"',
    )
    metrics = world.client(oci.monitoring.MonitoringClient)
    asked = oci.monitoring.models.ListMetricsDetails(namespace="mine")
    limits = world.client(oci.limits.LimitsClient)
    repos = world.client(oci.artifacts.ArtifactsClient)
    vaults = world.client(oci.key_management.KmsVaultClient)
    secrets = world.client(oci.secrets.SecretsClient)
    calls: dict[str, Callable[[], Any]] = {
        "read log-content": lambda: logs.search_logs(search),
        "inspect metrics": lambda: metrics.list_metrics(here, asked),
        "inspect limits": lambda: limits.list_services(world.mocked.tenancy_id),
        "inspect repos": lambda: repos.list_container_repositories(here),
        "inspect vaults": lambda: vaults.list_vaults(here),
    }
    for access, call in calls.items():
        with refused(*NOTHING):
            call()
        world.allow(f"Allow group people to {access} in tenancy")
        assert call().status == 200
    with refused(*NOTHING):
        secrets.get_secret_bundle_by_name("s", "ocid1.vault.oc1..v")


def test_a_metric_namespace_can_be_all_that_is_allowed(world: World) -> None:
    world.allow(
        "Allow group people to use metrics in tenancy where target.metrics.namespace='mine'"
    )
    here = world.mocked.compartment_id
    metrics = oci.monitoring.MonitoringClient(
        world.mocked.user_config(world.ada),
        service_endpoint="https://telemetry-ingestion.eu-frankfurt-1.oraclecloud.com",
        retry_strategy=oci.retry.NoneRetryStrategy(),
    )
    models = oci.monitoring.models

    def post(namespace: str) -> Any:
        point = models.Datapoint(timestamp="2026-01-01T00:00:00Z", value=1.0)
        detail = models.MetricDataDetails(
            namespace=namespace,
            compartment_id=here,
            name="m",
            dimensions={"a": "b"},
            datapoints=[point],
        )
        return metrics.post_metric_data(models.PostMetricDataDetails(metric_data=[detail]))

    assert post("mine").status == 200
    with refused(*NOTHING):
        post("theirs")
