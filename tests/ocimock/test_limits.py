"""Service limits and host capacity: what is used, what is refused, what fails for want of hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest
import requests

from ocimock import MockedCloud, MockedTenancy, Settings, capacity, limits, mock_oci
from ocimock.clock import Clock
from ocimock.cloud import Cloud
from ocimock.server.announcement import ServerFile
from ocimock.services.datascience import simulation
from ocimock.services.datascience.base import JOB, JOB_RUN
from ocimock.services.datascience.shapes import SHAPES
from ocimock.services.limits.catalogue import by_name, shape_limits
from ocimock.store.state_file import StateFile
from ocimock.wire.errors import InvalidParameter
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import M, Workbench, workbench

A10 = "ds-gpu-a10-count"
DOMAINS = [f"oMck:EU-FRANKFURT-1-AD-{number}" for number in (1, 2, 3)]


@pytest.fixture
def tenancy() -> Iterator[MockedCloud]:
    """A tenancy in which nothing moves unless its clock does."""
    with mock_oci(Settings(run_seconds=100, deploy_seconds=100), pace=1.0) as found:
        yield found


@pytest.fixture
def bench(tenancy: MockedCloud) -> Workbench:
    made = workbench(tenancy)
    tenancy.advance(60)
    return made


def _hand(bench: Workbench) -> MockedCloud:
    """The mock around *bench*, which is in this process."""
    assert isinstance(bench.mocked, MockedCloud)
    return bench.mocked


def _left(
    tenancy: MockedTenancy, name: str = A10, service: str = "data-science"
) -> tuple[int, int]:
    """What is used and what is available, as the Limits API says."""
    api = client(tenancy, oci.limits.LimitsClient)
    found = api.get_resource_availability(service, name, tenancy.compartment_id).data
    return found.used, found.available


def _notebook(bench: Workbench, shape: str = "VM.GPU.A10.2", **config: Any) -> Any:
    details = M.NotebookSessionConfigDetails(
        shape=shape, subnet_id=bench.subnet, block_storage_size_in_gbs=100, **config
    )
    return bench.science.create_notebook_session(
        M.CreateNotebookSessionDetails(
            project_id=bench.project,
            compartment_id=bench.compartment,
            notebook_session_config_details=details,
        )
    ).data


# What counts


def test_a_run_counts_until_it_ends(bench: Workbench) -> None:
    before = _left(bench.mocked)
    bench.run(bench.job())
    assert _left(bench.mocked) == (2, before[1] - 2)
    bench.mocked.advance(101)
    assert _left(bench.mocked) == before == (0, by_name()[A10].value)


def test_each_node_of_a_run_counts(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    bench.science.create_job_artifact(job.id, b"x", content_disposition="filename=code.zip")
    bench.run(job)
    assert _left(bench.mocked)[0] == 12
    assert _left(bench.mocked, "ds-block-volume-gb")[0] == 6 * 256


def test_a_run_counts_the_nodes_that_it_asks_for_itself(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    group = M.JobNodeGroupConfigurationDetails(name="node-group", replicas=2)
    override = M.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[group]
    )
    bench.run(job, job_node_configuration_override_details=override)
    assert _left(bench.mocked)[0] == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replicas": -3}, "replicas: -3 is less than 1"),
        ({"replicas": 0}, "replicas: 0 is less than 1"),
        ({"replicas": 2, "minimum_success_replicas": 3}, "minimumSuccessReplicas"),
        (
            {
                "job_infrastructure_configuration_details": (
                    M.MultiNodeJobInfrastructureConfigurationDetails(
                        shape_name="VM.None", block_storage_size_in_gbs=50
                    )
                )
            },
            "VM.None",
        ),
    ],
)
def test_a_run_asks_for_nodes_that_there_can_be(
    bench: Workbench, changes: dict[str, Any], words: str
) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    group = M.JobNodeGroupConfigurationDetails(name="node-group", **changes)
    override = M.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[group]
    )
    with refused(400, "InvalidParameter", words):
        bench.run(job, job_node_configuration_override_details=override)
    assert _left(bench.mocked)[0] == 0


def test_a_run_shows_the_nodes_that_it_asks_for_itself(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    bench.science.create_job_artifact(job.id, b"x", content_disposition="filename=code.zip")
    group = M.JobNodeGroupConfigurationDetails(name="node-group", replicas=2)
    override = M.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[group]
    )
    run = bench.run(job, job_node_configuration_override_details=override)
    store = _hand(bench).cloud.store
    of_job, of_run = store.find(JOB, job.id), store.find(JOB_RUN, run.id)
    assert of_job is not None
    assert of_run is not None
    assert len(simulation.nodes(of_job, of_run)) == 2


@pytest.mark.parametrize("config", [{"ocpus": -64}, {"ocpus": 4, "memory_in_gbs": -1}])
def test_nothing_claims_less_than_nothing(bench: Workbench, config: dict[str, float]) -> None:
    shape = M.NotebookSessionShapeConfigDetails(**config)
    with refused(400, "InvalidParameter", "is not above 0"):
        _notebook(bench, "VM.Standard.E4.Flex", notebook_session_shape_config_details=shape)


def test_a_canceled_run_counts_no_more(bench: Workbench) -> None:
    run = bench.run(bench.job())
    bench.science.cancel_job_run(run.id)
    assert _left(bench.mocked)[0] == 2
    bench.mocked.advance(1)
    assert _left(bench.mocked)[0] == 0


def test_a_notebook_counts_while_it_is_up(bench: Workbench) -> None:
    session = _notebook(bench)
    seen = [_left(bench.mocked)[0]]
    for step in ("deactivate", "activate", "delete"):
        bench.mocked.advance(5)
        getattr(bench.science, f"{step}_notebook_session")(session.id)
        bench.mocked.advance(5)
        seen.append(_left(bench.mocked)[0])
    assert seen == [2, 0, 2, 0]


def test_a_deployment_counts_by_its_instances(bench: Workbench) -> None:
    policy = M.FixedSizeScalingPolicy(instance_count=3)
    made = bench.deploy(bench.model().id, configuration={"scaling_policy": policy})
    assert _left(bench.mocked)[0] == 6
    bench.mocked.advance(101)
    bench.science.deactivate_model_deployment(made.id)
    bench.mocked.advance(101)
    assert _left(bench.mocked)[0] == 0
    bench.science.activate_model_deployment(made.id)
    assert _left(bench.mocked)[0] == 6


def test_a_flexible_shape_counts_by_its_configuration(bench: Workbench) -> None:
    config = M.NotebookSessionShapeConfigDetails(ocpus=4, memory_in_gbs=64)
    _notebook(bench, "VM.Standard.E4.Flex", notebook_session_shape_config_details=config)
    assert _left(bench.mocked, "ds-standard-e4-core-regional-count")[0] == 4
    assert _left(bench.mocked, "ds-standard-e4-memory-count")[0] == 64
    assert _left(bench.mocked, "notebook-session-count")[0] == 1


def test_networks_count(bench: Workbench) -> None:
    assert _left(bench.mocked, "vcn-count", "vcn")[0] == 1


def test_every_shape_has_its_limits() -> None:
    for shape in SHAPES:
        assert set(shape_limits(shape)) <= set(by_name()), shape.name
        assert shape.gpus in (0, 1, 2, 4, 8)
    assert {A10, "ds-gpu4-count", "ds-gpu-a100-v2-count", "gpu-a10-count"} <= set(by_name())


# What is refused


@pytest.mark.parametrize("left", [0, 1])
def test_a_limit_refuses_a_run(bench: Workbench, left: int) -> None:
    job = bench.job()
    _hand(bench).limits.set(A10, left)
    with refused(400, "LimitExceeded", f"The following service limits were exceeded: {A10}."):
        bench.run(job)
    assert bench.science.list_job_runs(bench.compartment).data == []
    _hand(bench).limits.set(A10, 2)
    bench.run(job)
    with refused(400, "LimitExceeded", A10):
        bench.run(job)


def test_a_limit_refuses_again_and_again(bench: Workbench) -> None:
    """Whatever ended in between."""
    job = bench.job()
    _hand(bench).limits.set(A10, 4)
    bench.run(job)
    bench.mocked.advance(101)
    for _ in range(2):
        bench.run(job)
    for _ in range(3):
        with refused(400, "LimitExceeded", A10):
            bench.run(job)
    assert _left(bench.mocked) == (4, 0)


def test_a_limit_refuses_a_run_of_several_nodes(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    _hand(bench).limits.set(A10, 11)
    with refused(400, "LimitExceeded", A10):
        bench.run(job)
    _hand(bench).limits.set("ds-block-volume-gb", 1)
    with refused(400, "LimitExceeded", f"exceeded: ds-block-volume-gb, {A10}."):
        bench.run(job)


def test_a_limit_refuses_a_notebook_and_its_activation(bench: Workbench) -> None:
    session = _notebook(bench)
    bench.mocked.advance(5)
    bench.science.deactivate_notebook_session(session.id)
    bench.mocked.advance(5)
    _hand(bench).limits.set(A10, 1)
    with refused(400, "LimitExceeded", A10):
        bench.science.activate_notebook_session(session.id)
    with refused(400, "LimitExceeded", A10):
        _notebook(bench)
    state = bench.science.get_notebook_session(session.id).data.lifecycle_state
    assert state == "INACTIVE"


def test_a_limit_refuses_a_deployment_and_its_growth(bench: Workbench) -> None:
    model = bench.model().id
    _hand(bench).limits.set(A10, 3)
    made = bench.deploy(model)
    bench.mocked.advance(101)
    with refused(400, "LimitExceeded", A10):
        bench.deploy(model)
    bigger = M.UpdateModelDeploymentDetails(
        model_deployment_configuration_details=M.UpdateSingleModelDeploymentConfigurationDetails(
            model_configuration_details=M.UpdateModelConfigurationDetails(
                model_id=model, scaling_policy=M.FixedSizeScalingPolicy(instance_count=2)
            )
        )
    )
    with refused(400, "LimitExceeded", A10):
        bench.science.update_model_deployment(made.id, bigger)
    # What was refused changes nothing, and what stands counts once.
    assert _left(bench.mocked) == (2, 1)
    _hand(bench).limits.set(A10, 4)
    bench.science.update_model_deployment(made.id, bigger)
    assert _left(bench.mocked) == (4, 0)


def test_a_limit_refuses_a_network(tenancy: MockedCloud) -> None:
    tenancy.limits.set("vcn-count", 0)
    with refused(400, "LimitExceeded", "vcn-count"):
        workbench(tenancy)


def test_a_limit_refuses_a_vault_and_a_secret(tenancy: MockedCloud) -> None:
    k, v = oci.key_management.models, oci.vault.models
    place = {"compartment_id": tenancy.compartment_id}
    details = k.CreateVaultDetails(display_name="v", vault_type="DEFAULT", **place)
    vaults = client(tenancy, oci.key_management.KmsVaultClient)
    vault = vaults.create_vault(details).data
    tenancy.advance(5)
    tenancy.limits.set("virtual-vault-count", 1)
    # While it waits to be deleted it counts.
    vaults.schedule_vault_deletion(vault.id, k.ScheduleVaultDeletionDetails())
    with refused(400, "LimitExceeded", "virtual-vault-count"):
        vaults.create_vault(details)
    vaults.cancel_vault_deletion(vault.id)
    keys = client(
        tenancy,
        oci.key_management.KmsManagementClient,
        service_endpoint=vault.management_endpoint,
    )
    shape = k.KeyShape(algorithm="AES", length=32)
    key = keys.create_key(k.CreateKeyDetails(display_name="k", key_shape=shape, **place)).data
    tenancy.limits.set("max-secrets-per-tenancy-count", 0)
    with refused(400, "LimitExceeded", "max-secrets-per-tenancy-count"):
        client(tenancy, oci.vault.VaultsClient).create_secret(
            v.CreateSecretDetails(
                secret_name="s",
                vault_id=vault.id,
                key_id=key.id,
                secret_content=v.Base64SecretContentDetails(content="c2VjcmV0"),
                **place,
            )
        )


def test_limits_are_each_regions_own(bench: Workbench) -> None:
    bench.run(bench.job())
    assert _hand(bench).limits.used(A10) == 2
    assert _hand(bench).limits.used(A10, "us-ashburn-1") == 0


def test_less_than_stands_leaves_nothing(bench: Workbench) -> None:
    bench.run(bench.job())
    _hand(bench).limits.set(A10, 1)
    assert _left(bench.mocked) == (2, 0)
    _hand(bench).limits.clear()
    assert _left(bench.mocked) == (2, by_name()[A10].value - 2)


def test_limits_of_availability_domains(tenancy: MockedCloud) -> None:
    api = client(tenancy, oci.limits.LimitsClient)
    name = "gpu-a10-count"
    values = api.list_limit_values(tenancy.tenancy_id, "compute", name=name).data
    assert [value.availability_domain for value in values] == DOMAINS
    one = {"compartment_id": tenancy.compartment_id, "availability_domain": DOMAINS[1]}
    assert api.get_resource_availability("compute", name, **one).data.used == 0
    with refused(400, "InvalidParameter", "availabilityDomain"):
        api.get_resource_availability("compute", name, tenancy.compartment_id)
    with refused(400, "InvalidParameter", "availabilityDomain"):
        api.get_resource_availability("data-science", A10, **one)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("ds-nothing", 1, "no limit 'ds-nothing'"),
        (A10, -1, "value: -1"),
        (A10, 1.5, "value: 1.5"),
        (A10, True, "value: True"),
    ],
)
def test_a_wrong_limit_is_refused(tenancy: MockedCloud, name: str, value: Any, word: str) -> None:
    with pytest.raises(InvalidParameter, match=word):
        tenancy.limits.set(name, value)


def test_the_page_of_limits(tenancy: MockedCloud) -> None:
    shown = limits.add(tenancy.limits, json.dumps({"name": A10, "value": 4}).encode())
    assert shown == {"service": "data-science", "name": A10, "value": 4, "used": 0}
    assert shown in limits.show(tenancy.limits)
    limits.clear(tenancy.limits)
    assert shown not in limits.show(tenancy.limits)
    for body in (b"", b"[]", b"{}", b'{"name": 3, "value": 4}'):
        with pytest.raises(InvalidParameter):
            limits.add(tenancy.limits, body)


def test_the_pages_of_a_server(server: ServerFile) -> None:
    for page, body in (
        ("limits", {"name": A10, "value": 4}),
        ("capacity", {"shape": "VM.GPU.A10.2", "hosts": 1}),
    ):
        url = f"{server.url}/ocimock/{page}"
        session = requests.Session()
        session.trust_env = False
        assert session.post(url, json={"nothing": 1}, timeout=30).status_code == 400
        assert session.post(url, json=body, timeout=30).status_code == 201
        shown = session.get(url, timeout=30).json()
        assert any(body.items() <= item.items() for item in shown)
        assert session.delete(url, timeout=30).status_code == 204
        shown = session.get(url, timeout=30).json()
        assert not any(body.items() <= item.items() for item in shown)


def test_limits_and_shortages_outlive_a_restart(tmp_path: Path) -> None:
    def opened() -> tuple[Cloud, StateFile]:
        state = StateFile(tmp_path / "state")
        return Cloud(clock=Clock(1.0), state=state), state

    cloud, state = opened()
    cloud.limits.set(A10, 4)
    cloud.capacity.exhaust("VM.GPU.A10.2", hosts=3)
    with cloud.transaction():
        identifier = "ocid1.datasciencejobrun.oc1.fra.a"
        run = cloud.store.add("datasciencejobrun", identifier, {"lifecycleState": "IN_PROGRESS"})
        cloud.limits.claim(run, "eu-frankfurt-1", {A10: 2})
        assert cloud.capacity.take(run, "eu-frankfurt-1", {"VM.GPU.A10.2": 1}) is None
    state.close()
    cloud, state = opened()
    assert (cloud.limits.value(A10), cloud.limits.used(A10)) == (4, 2)
    assert [rule["left"] for rule in capacity.show(cloud.capacity)] == [2]
    state.close()


# No host


def test_no_host_for_a_run(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    run = bench.run(bench.job())
    assert run.lifecycle_state == "ACCEPTED"
    bench.mocked.advance(101)
    run = bench.science.get_job_run(run.id).data
    assert run.lifecycle_state == "FAILED"
    assert "Out of host capacity for shape VM.GPU.A10.2" in run.lifecycle_details
    assert run.time_started is None
    assert run.time_finished is not None
    assert _left(bench.mocked)[0] == 0


def test_a_run_without_a_host_can_be_canceled(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    run = bench.run(bench.job())
    bench.science.cancel_job_run(run.id)
    bench.mocked.advance(101)
    assert bench.science.get_job_run(run.id).data.lifecycle_state == "CANCELED"


def test_too_few_hosts_for_all_nodes(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2", hosts=5)
    job = bench.science.create_job(bench.nodes_details(6)).data
    run = bench.run(job)
    bench.mocked.advance(101)
    run = bench.science.get_job_run(run.id).data
    assert run.lifecycle_state == "FAILED"
    assert {group.lifecycle_state for group in run.node_group_details_list} == {"FAILED"}


def test_hosts_are_taken_and_given_back(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2", hosts=2)
    job = bench.job()
    runs = [bench.run(job) for _ in range(3)]
    assert capacity.show(_hand(bench).capacity)[0]["left"] == 0
    bench.mocked.advance(101)
    states = [bench.science.get_job_run(run.id).data.lifecycle_state for run in runs]
    assert states == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert capacity.show(_hand(bench).capacity)[0]["left"] == 2
    late = bench.run(job)
    bench.mocked.advance(101)
    assert bench.science.get_job_run(late.id).data.lifecycle_state == "SUCCEEDED"


def test_a_shortage_of_one_domain_is_none_of_the_region(bench: Workbench) -> None:
    job = bench.job()
    found = []
    for domain in DOMAINS:
        _hand(bench).capacity.exhaust("VM.GPU.A10.2", availability_domain=domain)
        run = bench.run(job)
        bench.mocked.advance(101)
        found.append(bench.science.get_job_run(run.id).data.lifecycle_state)
    assert found == ["SUCCEEDED", "SUCCEEDED", "FAILED"]


def test_a_shortage_ends_in_time_or_by_hand(bench: Workbench) -> None:
    job = bench.job()
    _hand(bench).capacity.exhaust("VM.GPU.A10.2", seconds=600)
    assert len(_hand(bench).capacity.rules) == 1
    bench.mocked.advance(601)
    assert _hand(bench).capacity.rules == []
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    _hand(bench).capacity.exhaust("VM.GPU.A10.1")
    _hand(bench).capacity.restore("VM.GPU.A10.2")
    run = bench.run(job)
    bench.mocked.advance(101)
    assert bench.science.get_job_run(run.id).data.lifecycle_state == "SUCCEEDED"


def test_no_host_for_a_notebook(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    session = _notebook(bench)
    assert session.lifecycle_state == "CREATING"
    bench.mocked.advance(10)
    session = bench.science.get_notebook_session(session.id).data
    assert session.lifecycle_state == "FAILED"
    assert "Out of host capacity" in session.lifecycle_details
    _check_work_request(bench, session.id)


def test_no_host_for_a_notebook_that_comes_back(bench: Workbench) -> None:
    session = _notebook(bench)
    bench.mocked.advance(10)
    bench.science.deactivate_notebook_session(session.id)
    bench.mocked.advance(10)
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    bench.science.activate_notebook_session(session.id)
    bench.mocked.advance(10)
    assert bench.science.get_notebook_session(session.id).data.lifecycle_state == "FAILED"


def test_no_host_for_a_deployment(bench: Workbench) -> None:
    _hand(bench).capacity.exhaust("VM.GPU.A10.2")
    made = bench.deploy(bench.model().id)
    assert made.lifecycle_state == "CREATING"
    bench.mocked.advance(101)
    made = bench.science.get_model_deployment(made.id).data
    assert made.lifecycle_state == "FAILED"
    assert "Out of host capacity" in made.lifecycle_details
    _check_work_request(bench, made.id)


def _check_work_request(bench: Workbench, identifier: str) -> None:
    """The work request about that resource FAILED, and says why."""
    work = bench.science.list_work_requests(bench.compartment, resource_id=identifier).data[0]
    assert work.status == "FAILED"
    errors = bench.science.list_work_request_errors(work.id).data
    assert ["Out of host capacity" in error.message for error in errors] == [True]


def test_the_page_of_capacity(tenancy: MockedCloud) -> None:
    body = {"shape": "VM.GPU.A10.2", "hosts": 3, "seconds": 60}
    shown = capacity.add(tenancy.capacity, json.dumps(body).encode())
    assert [(rule["shape"], rule["hosts"], rule["left"]) for rule in shown] == [
        ("VM.GPU.A10.2", 3, 3)
    ]
    assert json.loads(json.dumps(shown)) == capacity.show(tenancy.capacity) == shown
    capacity.clear(tenancy.capacity)
    assert capacity.show(tenancy.capacity) == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "POST"),
        (b"[]", "POST"),
        (b'{"hosts": 1}', "shape"),
        (b'{"shape": "VM.GPU.A11.2"}', "'VM.GPU.A11.2' is not one of"),
        (b'{"shape": "VM.GPU.A10.2", "hosts": "1"}', "hosts: '1'"),
        (b'{"shape": "VM.GPU.A10.2", "hosts": -1}', "0 or more"),
        (b'{"shape": "VM.GPU.A10.2", "host": 1}', "'host' is not one of"),
        (b'{"shape": "VM.GPU.A10.2", "seconds": 1e300}', "seconds up to"),
        (b'{"shape": "VM.GPU.A10.2", "seconds": NaN}', "seconds up to"),
        (b'{"shape": "VM.GPU.A10.2", "availabilityDomain": "AD-1"}', "AD-1.*oMck:"),
    ],
)
def test_a_wrong_shortage_is_refused(tenancy: MockedCloud, body: bytes, word: str) -> None:
    with pytest.raises(InvalidParameter, match=word):
        capacity.add(tenancy.capacity, body)


# Time


@pytest.mark.parametrize(
    ("minutes", "override", "state"),
    [(1, None, "CANCELED"), (2, None, "SUCCEEDED"), (None, 1, "CANCELED"), (1, 2, "SUCCEEDED")],
)
def test_a_run_ends_at_its_longest_time(
    bench: Workbench, minutes: int | None, override: int | None, state: str
) -> None:
    """Of a run of 100 seconds, 85 come after its start."""
    job = bench.job(
        job_configuration_details=M.DefaultJobConfigurationDetails(
            maximum_runtime_in_minutes=minutes
        )
    )
    changes = {}
    if override:
        changes["job_configuration_override_details"] = M.DefaultJobConfigurationDetails(
            maximum_runtime_in_minutes=override
        )
    run = bench.run(job, **changes)
    bench.mocked.advance(101)
    run = bench.science.get_job_run(run.id).data
    assert run.lifecycle_state == state
    if state == "CANCELED":
        assert "exceeded the maximum runtime of 1 minute" in run.lifecycle_details
        assert (run.time_finished - run.time_started).total_seconds() == pytest.approx(60)


def test_the_longest_time_holds_where_all_happens_at_once() -> None:
    with mock_oci(Settings(run_seconds=3600)) as tenancy:
        bench = workbench(tenancy)
        details = M.DefaultJobConfigurationDetails(maximum_runtime_in_minutes=30)
        run = bench.run(bench.job(job_configuration_details=details))
        assert bench.science.get_job_run(run.id).data.lifecycle_state == "CANCELED"


def test_a_run_of_several_nodes_has_its_longest_time_too(bench: Workbench) -> None:
    details = bench.nodes_details(2)
    details.job_node_configuration_details.maximum_runtime_in_minutes = 1
    job = bench.science.create_job(details).data
    bench.science.create_job_artifact(job.id, b"x", content_disposition="filename=code.zip")
    run = bench.run(job)
    bench.mocked.advance(101)
    run = bench.science.get_job_run(run.id).data
    assert run.lifecycle_state == "CANCELED"
    assert "1 minute" in run.lifecycle_details
    details.job_node_configuration_details.maximum_runtime_in_minutes = 43_201
    with refused(400, "InvalidParameter", "jobNodeConfigurationDetails.maximumRuntimeInMinutes"):
        bench.science.create_job(details)


def test_the_longest_time_of_a_run_itself_has_its_bounds(bench: Workbench) -> None:
    override = M.DefaultJobConfigurationDetails(maximum_runtime_in_minutes=0)
    with refused(400, "InvalidParameter", "jobConfigurationOverrideDetails.maximumRuntimeIn"):
        bench.run(bench.job(), job_configuration_override_details=override)


@pytest.mark.parametrize("minutes", [0, 43_201])
def test_the_longest_time_has_its_bounds(bench: Workbench, minutes: int) -> None:
    details = M.DefaultJobConfigurationDetails(maximum_runtime_in_minutes=minutes)
    with refused(400, "InvalidParameter", "jobConfigurationDetails.maximumRuntimeInMinutes"):
        bench.job(job_configuration_details=details)
