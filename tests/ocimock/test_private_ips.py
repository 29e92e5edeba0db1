"""Private addresses: of what is up in a subnet, for as long as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, Settings, mock_oci
from ocimock.clock import Clock
from ocimock.cloud import Cloud
from ocimock.services.core.private_ips import private_ips
from ocimock.store.state_file import StateFile
from tests.ocimock.support import client, pages, refused
from tests.ocimock.workbench import M, Workbench, workbench

HOUR = 3600


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Runs here take an hour, and only the test lets it pass."""
    with mock_oci(Settings(run_seconds=HOUR), pace=1) as mocked:
        yield workbench(mocked)


def network(bench: Workbench) -> Any:
    return client(bench.mocked, oci.core.VirtualNetworkClient)


def taken(bench: Workbench) -> list[str]:
    found = network(bench).list_private_ips(subnet_id=bench.subnet).data
    return [each.ip_address for each in found]


def run_of_nodes(bench: Workbench, nodes: int) -> str:
    job = bench.science.create_job(bench.nodes_details(nodes)).data
    bench.science.create_job_artifact(job.id, b"code", content_disposition="filename=a.zip")
    return str(bench.run(job).id)


def test_each_node_of_a_run_has_one_until_the_run_ends(bench: Workbench) -> None:
    assert taken(bench) == []
    run = run_of_nodes(bench, 3)
    assert taken(bench) == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]

    bench.science.cancel_job_run(run)
    _mocked(bench).advance(10)
    assert taken(bench) == []


def test_an_address_stays_while_its_holder_is_up(bench: Workbench) -> None:
    first, _second = run_of_nodes(bench, 2), run_of_nodes(bench, 2)
    assert taken(bench) == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"]
    bench.science.cancel_job_run(first)
    _mocked(bench).advance(10)
    assert taken(bench) == ["10.0.0.4", "10.0.0.5"]
    run_of_nodes(bench, 3)
    assert taken(bench) == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]


def test_sessions_deployments_and_endpoints_have_one_too(bench: Workbench) -> None:
    bench.science.create_notebook_session(
        M.CreateNotebookSessionDetails(
            project_id=bench.project,
            compartment_id=bench.compartment,
            notebook_session_config_details=M.NotebookSessionConfigDetails(
                shape="VM.Standard.E4.Flex", subnet_id=bench.subnet
            ),
        )
    )
    two = {"scaling_policy": M.FixedSizeScalingPolicy(instance_count=2)}
    bench.deploy(bench.model().id, instance={"subnet_id": bench.subnet}, configuration=two)
    bench.science.create_data_science_private_endpoint(
        M.CreateDataSciencePrivateEndpointDetails(
            compartment_id=bench.compartment,
            data_science_resource_type="NOTEBOOK_SESSION",
            subnet_id=bench.subnet,
        )
    )
    found = network(bench).list_private_ips(subnet_id=bench.subnet).data
    nouns = [each.display_name.split(" ocid1")[0] for each in found]
    assert sorted(nouns) == [
        "model deployment", "model deployment", "notebook session", "private endpoint",
    ]  # fmt: skip


def test_the_lists_filters_and_pages(bench: Workbench) -> None:
    run_of_nodes(bench, 3)
    api = network(bench)
    [one] = api.list_private_ips(subnet_id=bench.subnet, ip_address="10.0.0.3").data
    assert (one.subnet_id, one.ip_state, one.lifetime) == (bench.subnet, "ASSIGNED", "EPHEMERAL")
    assert [each.id for each in api.list_private_ips(vnic_id=one.vnic_id).data] == [one.id]
    assert api.list_private_ips(subnet_id=bench.subnet, ip_state="AVAILABLE").data == []
    sizes = [len(page) for page in pages(api.list_private_ips, subnet_id=bench.subnet, limit=2)]
    assert sizes == [2, 1]
    with refused(400, "InvalidParameter", "subnetId"):
        api.list_private_ips()
    with refused(404, "NotAuthorizedOrNotFound"):
        api.list_private_ips(subnet_id="ocid1.subnet.oc1.fra.aaaanone")


def test_a_subnet_has_three_addresses_less_than_its_block(bench: Workbench) -> None:
    _mocked(bench).advance(10)
    details = oci.core.models.UpdateSubnetDetails(cidr_block="10.0.0.0/29")
    network(bench).update_subnet(bench.subnet, details)
    run_of_nodes(bench, 8)
    assert taken(bench) == [f"10.0.0.{number}" for number in range(2, 7)]


def test_they_are_there_again_after_a_restart(tmp_path: Path) -> None:
    with closing(StateFile(tmp_path / "state.db")) as state:
        cloud = Cloud(Settings(enforce_network=True), clock=Clock(1), state=state)
        with cloud.transaction():
            _plant(cloud)
    with closing(StateFile(tmp_path / "state.db")) as state:
        again = Cloud(Settings(), clock=Clock(1), state=state)
        [subnet] = again.store.live("subnet")
        assert [each.address for each in private_ips(again, subnet)] == ["10.0.0.2"]


def _plant(cloud: Cloud) -> None:
    """A session in a subnet, as far as addresses are about them."""
    subnet = {"cidrBlock": "10.0.0.0/24", "compartmentId": cloud.settings.compartment_id}
    cloud.store.add("subnet", "ocid1.subnet.oc1.fra.one", subnet)
    session = {"lifecycleState": "ACTIVE", "subnetId": "ocid1.subnet.oc1.fra.one"}
    cloud.store.add("datasciencenotebooksession", "ocid1.session.oc1.fra.one", session)


def test_it_takes_the_right_to_see_private_ips() -> None:
    with mock_oci(Settings(enforce_iam=True)) as mocked:
        bench = workbench(mocked)
        identity = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
        im, root = oci.identity.models, mocked.tenancy_id
        place = {"compartment_id": root, "description": "d"}
        ana = identity.create_user(im.CreateUserDetails(name="ana", **place)).data.id
        group = identity.create_group(im.CreateGroupDetails(name="readers", **place)).data.id
        identity.add_user_to_group(im.AddUserToGroupDetails(user_id=ana, group_id=group))
        api = oci.core.VirtualNetworkClient(
            mocked.user_config(ana), retry_strategy=oci.retry.NoneRetryStrategy()
        )
        with refused(404, "NotAuthorizedOrNotFound"):
            api.list_private_ips(subnet_id=bench.subnet)
        statement = (
            f"Allow group readers to inspect private-ips in compartment id {mocked.compartment_id}"
        )
        assert mocked.decisions[-1].missing == statement
        identity.create_policy(im.CreatePolicyDetails(name="r", statements=[statement], **place))
        assert api.list_private_ips(subnet_id=bench.subnet).data == []


def _mocked(bench: Workbench) -> MockedCloud:
    assert isinstance(bench.mocked, MockedCloud)
    return bench.mocked
