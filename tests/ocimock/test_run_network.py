"""Simulated runs in a subnet, with ``enforce_network``: how far each gets, and what it says.

The holes of a network of several nodes: tests/jobs/preflight/test_network.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest
from typer.testing import CliRunner

from ocimock import Settings, mock_oci
from ocimock.cli import app
from ocimock.server import serve
from tests.ocimock.support import client
from tests.ocimock.workbench import SHAPE, M, Workbench, workbench

m = oci.core.models
ANYWHERE = "0.0.0.0/0"
GIT, PACKAGES = "https://github.com/some/code.git", "transformers==4.57.6"


class Subnet:
    """The workbench's, and its VCN's default route table and security list."""

    def __init__(self, bench: Workbench) -> None:
        self.api = client(bench.mocked, oci.core.VirtualNetworkClient)
        self.found = self.api.get_subnet(bench.subnet).data
        self.place = {"compartment_id": bench.compartment, "vcn_id": self.found.vcn_id}

    def route_to_services(self, number: int = 1) -> Any:
        """Through a new service gateway: to all of them, or (0) to Object Storage."""
        service = self.api.list_services().data[number]
        named = [m.ServiceIdRequestDetails(service_id=service.id)]
        made = self.api.create_service_gateway(
            m.CreateServiceGatewayDetails(services=named, **self.place)
        ).data.id
        return m.RouteRule(
            destination=service.cidr_block,
            destination_type="SERVICE_CIDR_BLOCK",
            network_entity_id=made,
        )

    def route_out(self) -> Any:
        made = self.api.create_nat_gateway(m.CreateNatGatewayDetails(**self.place)).data.id
        return m.RouteRule(destination=ANYWHERE, network_entity_id=made)

    def routes(self, *rules: Any) -> None:
        details = m.UpdateRouteTableDetails(route_rules=list(rules))
        self.api.update_route_table(self.found.route_table_id, details)

    def egress(self, *rules: Any) -> None:
        details = m.UpdateSecurityListDetails(egress_security_rules=list(rules))
        self.api.update_security_list(self.found.security_list_ids[0], details)


@pytest.fixture
def bench() -> Iterator[Workbench]:
    with mock_oci(Settings(enforce_network=True)) as mocked:
        yield workbench(mocked)


def ended(bench: Workbench, infrastructure: Any = None, **variables: str) -> Any:
    """A run of one node, with these variables, once it has ended."""
    job = bench.job(
        job_configuration_details=M.DefaultJobConfigurationDetails(environment_variables=variables),
        job_infrastructure_configuration_details=infrastructure or bench.infrastructure(),
    )
    return bench.science.get_job_run(bench.run(job).id).data


def test_a_run_without_a_subnet_has_the_services_own_network(bench: Workbench) -> None:
    managed = M.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
        shape_name=SHAPE, block_storage_size_in_gbs=256
    )
    assert ended(bench, managed, OCI__PIP_PKG=PACKAGES).lifecycle_state == "SUCCEEDED"


def test_without_any_route_not_even_the_artifact_arrives(bench: Workbench) -> None:
    run = ended(bench)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Job run bootstrap failure: the job's artifact")
    assert f"{bench.subnet} has no route to {ANYWHERE}" in run.lifecycle_details
    assert "simulated by ocimock" in run.lifecycle_details


def test_it_is_asked_only_where_the_settings_say_so() -> None:
    with mock_oci() as mocked:
        assert ended(workbench(mocked), OCI__PIP_PKG=PACKAGES).lifecycle_state == "SUCCEEDED"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"OCI__RUNTIME_URI": GIT, "OCI__PIP_PKG": PACKAGES}, f"fatal: unable to access '{GIT}'"),
        ({"OCI__PIP_PKG": PACKAGES}, "ERROR: Could not find a version that satisfies the "
         "requirement transformers==4.57.6"),
        ({"OCI__LAUNCH_CMD": "python -m recipes.stage"}, "https://huggingface.co can't be reached"),
    ],
)  # fmt: skip
def test_with_services_alone_the_first_that_is_fetched_from_outside_fails(
    bench: Workbench, variables: dict[str, str], line: str
) -> None:
    subnet = Subnet(bench)
    subnet.routes(subnet.route_to_services())
    run = ended(bench, **variables)
    assert "Job run artifact execution failed with exit code 1" in run.lifecycle_details
    assert any(line in each for each in bench.lines(run.id))

    subnet.routes(subnet.route_out())
    assert ended(bench, **variables).lifecycle_state == "SUCCEEDED"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OCI__RUNTIME_URI": "oci://bucket@ocimock/code.zip"},
        {"OCI__RUNTIME_URI": "https://devops.scmservice.eu-frankfurt-1.oci.oraclecloud.com/x"},
        {"OCI__LAUNCH_CMD": "python -m recipes.stage", "HF_ENDPOINT": "http://10.0.0.9:8000"},
    ],
)
def test_what_fetches_nothing_from_outside_needs_no_way_out(
    bench: Workbench, variables: dict[str, str]
) -> None:
    subnet = Subnet(bench)
    subnet.routes(subnet.route_to_services())
    assert ended(bench, **variables).lifecycle_state == "SUCCEEDED"


def test_a_blocked_service_gateway_leads_nowhere(bench: Workbench) -> None:
    subnet = Subnet(bench)
    route = subnet.route_to_services()
    subnet.routes(route)
    details = m.UpdateServiceGatewayDetails(block_traffic=True)
    subnet.api.update_service_gateway(route.network_entity_id, details)
    assert "Job run bootstrap failure" in ended(bench).lifecycle_details


def test_egress_must_let_https_out_to_the_services(bench: Workbench) -> None:
    subnet = Subnet(bench)
    route = subnet.route_to_services()
    subnet.routes(route)
    subnet.egress()
    assert "Oracle's services can't be reached" in ended(bench).lifecycle_details
    service = {"destination": route.destination, "destination_type": "SERVICE_CIDR_BLOCK"}
    subnet.egress(m.EgressSecurityRule(protocol="6", **service))
    assert ended(bench).lifecycle_state == "SUCCEEDED"


def test_answers_to_stateless_rules_need_rules_of_their_own(bench: Workbench) -> None:
    subnet = Subnet(bench)
    subnet.routes(subnet.route_to_services())
    everything = {"protocol": "all", "destination": ANYWHERE}
    stateful = m.EgressSecurityRule(**everything)
    subnet.egress(stateful, m.EgressSecurityRule(is_stateless=True, **everything))
    assert ended(bench).lifecycle_state == "FAILED"
    subnet.egress(stateful)
    assert ended(bench).lifecycle_state == "SUCCEEDED"


def test_nodes_that_do_not_meet_give_up_after_ten_minutes_of_their_code() -> None:
    hours = 10 * 3600
    with mock_oci(Settings(enforce_network=True, run_seconds=hours), pace=1) as mocked:
        bench = workbench(mocked)
        mocked.advance(10)
        subnet = Subnet(bench)
        nat = subnet.route_out()
        mocked.advance(10)
        subnet.routes(nat)
        job = bench.science.create_job(bench.nodes_details(2)).data
        bench.science.create_job_artifact(job.id, b"code", content_disposition="filename=a.zip")
        run = bench.run(job).id
        code_starts = 0.35 * hours
        mocked.advance(code_starts + 590)
        assert bench.science.get_job_run(run).data.lifecycle_state == "IN_PROGRESS"
        mocked.advance(20)
        found = bench.science.get_job_run(run).data
        assert found.lifecycle_state == "FAILED"
        assert "the nodes could not meet" in found.lifecycle_details


def test_nodes_that_do_not_meet_do_not_come_half_way(bench: Workbench) -> None:
    subnet = Subnet(bench)
    nat = subnet.route_out()
    subnet.routes(nat)
    job = bench.science.create_job(bench.nodes_details(2)).data
    bench.science.create_job_artifact(job.id, b"code", content_disposition="filename=a.zip")
    run = bench.science.get_job_run(bench.run(job).id).data
    assert "the nodes could not meet" in run.lifecycle_details
    said = bench.lines(run.id)
    assert any("time" in each for each in said)
    assert not any("half of the simulated time" in each for each in said)


def test_a_server_is_told_by_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Settings] = []
    monkeypatch.setattr(serve, "serve", lambda _home, settings, **_options: told.append(settings))
    for options in ((), ("--enforce-network",)):
        done = CliRunner().invoke(app, ["serve", "--home", str(tmp_path), *options])
        assert done.exit_code == 0, done.output
    assert [settings.enforce_network for settings in told] == [False, True]
