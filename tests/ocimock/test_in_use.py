"""What can't be deleted, for as long as what uses it stands: one table over all services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, Settings, mock_oci
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import NS, M, Workbench, workbench

c = oci.core.models
lm = oci.logging.models
im = oci.identity.models
om = oci.object_storage.models
HOUR = 3600


class Tenancy:
    """A workbench, its network taken apart, and clients for all of it."""

    def __init__(self, mocked: MockedCloud) -> None:
        self.mocked = mocked
        self.bench: Workbench = workbench(mocked)
        self.science, self.storage = self.bench.science, self.bench.storage
        self.network = client(mocked, oci.core.VirtualNetworkClient)
        self.logging = client(mocked, oci.logging.LoggingManagementClient)
        self.identity = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
        self.pass_time()
        self.subnet = self.network.get_subnet(self.bench.subnet).data
        self.vcn = self.subnet.vcn_id
        self.place = {"compartment_id": mocked.compartment_id, "vcn_id": self.vcn}
        self.model = self.bench.model().id

    def pass_time(self, seconds: float = 10) -> None:
        self.mocked.advance(seconds)

    def network_of(self, noun: str, **fields: Any) -> str:
        """A new *noun* in the VCN; its OCID."""
        words = "".join(word.title() for word in noun.removesuffix("_options").split("_"))
        details = getattr(c, f"Create{words}Details")(**self.place, **fields)
        made = getattr(self.network, f"create_{noun}")(details).data
        self.pass_time()
        return str(made.id)

    def route_to(self, gateway: str) -> str:
        rule = c.RouteRule(network_entity_id=gateway, destination="0.0.0.0/0")
        return self.network_of("route_table", route_rules=[rule])

    def notebook(self) -> str:
        details = M.NotebookSessionConfigDetails(
            shape="VM.Standard.E4.Flex", subnet_id=self.subnet.id
        )
        made = self.science.create_notebook_session(
            M.CreateNotebookSessionDetails(
                project_id=self.bench.project,
                compartment_id=self.bench.compartment,
                notebook_session_config_details=details,
            )
        ).data
        self.pass_time()
        return str(made.id)

    def deployment(self) -> str:
        made = self.bench.deploy(self.model, instance={"subnet_id": self.subnet.id}).id
        self.pass_time(101)
        return str(made)

    def run_of_nodes(self) -> str:
        return str(self.bench.run(self.science.create_job(self.bench.nodes_details(2)).data).id)

    def endpoint(self, **fields: Any) -> str:
        details = M.CreateDataSciencePrivateEndpointDetails(
            compartment_id=self.bench.compartment,
            data_science_resource_type="NOTEBOOK_SESSION",
            subnet_id=self.subnet.id,
            **fields,
        )
        made = self.science.create_data_science_private_endpoint(details).data
        self.pass_time()
        return str(made.id)

    def version_set(self) -> str:
        details = M.CreateModelVersionSetDetails(
            name="set", project_id=self.bench.project, compartment_id=self.bench.compartment
        )
        return str(self.science.create_model_version_set(details).data.id)

    def bucket(self) -> str:
        details = om.CreateBucketDetails(name="full", compartment_id=self.bench.compartment)
        self.storage.create_bucket(NS, details)
        return "full"

    def compartment(self) -> str:
        details = im.CreateCompartmentDetails(
            compartment_id=self.mocked.tenancy_id, name="inner", description="d"
        )
        made = self.identity.create_compartment(details).data.id
        self.pass_time()
        return str(made)


@dataclass(frozen=True)
class Case:
    """What holds what.

    :param held: what can't be deleted: its OCID.
    :param hold: makes what uses it; what that returns goes to *free*.
    :param delete: the deletion that is refused.
    :param free: takes away what uses it, so that the deletion goes through.
    """

    held: Callable[[Tenancy], str]
    hold: Callable[[Tenancy, str], Any]
    delete: Callable[[Tenancy, str], Any]
    free: Callable[[Tenancy, Any], Any]
    words: tuple[str, ...] = ()
    code: str = "Conflict"


def _subnet_case(hold: Callable[[Tenancy], str], free: Callable[[Tenancy, str], Any]) -> Case:
    return Case(
        lambda t: str(t.subnet.id),
        lambda t, _held: hold(t),
        lambda t, held: t.network.delete_subnet(held),
        free,
        ("The Subnet", "references the VNIC of", "You must remove the reference"),
    )


def _gateway_case(noun: str, **fields: Any) -> Case:
    return Case(
        lambda t: t.network_of(noun, **fields),
        lambda t, held: t.route_to(held),
        lambda t, held: getattr(t.network, f"delete_{noun}")(held),
        lambda t, table: t.network.delete_route_table(table),
        ("routetable",),
    )


def _subnet_with(noun: str, field: str, many: bool = False, **fields: Any) -> Case:
    """A subnet that names a *noun* in *field*."""
    return Case(
        lambda t: t.network_of(noun, **fields),
        lambda t, held: t.network_of(
            "subnet", cidr_block="10.0.9.0/24", **{field: [held] if many else held}
        ),
        lambda t, held: getattr(t.network, f"delete_{noun}")(held),
        lambda t, subnet: t.network.delete_subnet(subnet),
        ("subnet",),
        "IncorrectState" if many else "Conflict",
    )


def _project_case(hold: Callable[[Tenancy], str], delete: str) -> Case:
    return Case(
        lambda t: t.bench.project,
        lambda t, _held: hold(t),
        lambda t, held: t.science.delete_project(held),
        lambda t, found: _all_deleted(
            getattr(t.science, delete)(found), t.science.delete_model(t.model)
        ),
        ("is in use by",),
    )


def _vcn_case(noun: str, delete: str, **fields: Any) -> Case:
    return Case(
        lambda t: t.vcn,
        lambda t, _held: t.network_of(noun, **fields),
        lambda t, held: t.network.delete_vcn(held),
        lambda t, found: _all_deleted(
            getattr(t.network, delete)(found), t.network.delete_subnet(t.subnet.id)
        ),
    )


CASES = {
    "subnet, by a notebook session": _subnet_case(
        Tenancy.notebook, lambda t, found: t.science.delete_notebook_session(found)
    ),
    "subnet, by a notebook session, until it is deactivated": _subnet_case(
        Tenancy.notebook, lambda t, found: t.science.deactivate_notebook_session(found)
    ),
    "subnet, by a job run": _subnet_case(
        lambda t: str(t.bench.run(t.bench.job()).id),
        lambda t, found: t.science.cancel_job_run(found),
    ),
    "subnet, by a job run of several nodes": _subnet_case(
        Tenancy.run_of_nodes, lambda t, found: t.science.cancel_job_run(found)
    ),
    "subnet, by a model deployment": _subnet_case(
        Tenancy.deployment, lambda t, found: t.science.delete_model_deployment(found)
    ),
    "subnet, by a private endpoint": _subnet_case(
        Tenancy.endpoint,
        lambda t, found: t.science.delete_data_science_private_endpoint(found),
    ),
    "security group, by a private endpoint": Case(
        lambda t: t.network_of("network_security_group"),
        lambda t, held: t.endpoint(nsg_ids=[held]),
        lambda t, held: t.network.delete_network_security_group(held),
        lambda t, found: t.science.delete_data_science_private_endpoint(found),
        ("is in use by the VNIC of private endpoint",),
    ),
    "VCN, by a subnet": _vcn_case("subnet", "delete_subnet", cidr_block="10.0.9.0/24"),
    "VCN, by an internet gateway": _vcn_case(
        "internet_gateway", "delete_internet_gateway", is_enabled=True
    ),
    "VCN, by a NAT gateway": _vcn_case("nat_gateway", "delete_nat_gateway"),
    "VCN, by a service gateway": _vcn_case(
        "service_gateway", "delete_service_gateway", services=[]
    ),
    "VCN, by a security group": _vcn_case(
        "network_security_group", "delete_network_security_group"
    ),
    "VCN, by a route table": _vcn_case("route_table", "delete_route_table", route_rules=[]),
    "NAT gateway, by a route rule": _gateway_case("nat_gateway"),
    "internet gateway, by a route rule": _gateway_case("internet_gateway", is_enabled=True),
    "route table, by a subnet": _subnet_with("route_table", "route_table_id", route_rules=[]),
    "security list, by a subnet": _subnet_with(
        "security_list",
        "security_list_ids",
        many=True,
        ingress_security_rules=[],
        egress_security_rules=[],
    ),
    "DHCP options, by a subnet": _subnet_with(
        "dhcp_options",
        "dhcp_options_id",
        options=[c.DhcpDnsOption(server_type="VcnLocalPlusInternet")],
    ),
    "security group, by a rule of another": Case(
        lambda t: t.network_of("network_security_group"),
        lambda t, held: _rule_from(t, held),
        lambda t, held: t.network.delete_network_security_group(held),
        lambda t, other: t.network.delete_network_security_group(other),
        ("is in use by a rule of",),
    ),
    "log group, by a log": Case(
        lambda t: t.bench.group,
        lambda t, _held: t.bench.log,
        lambda t, held: t.logging.delete_log_group(held),
        lambda t, log: t.logging.delete_log(t.bench.group, log),
        ("is in use by log",),
    ),
    "bucket, by an object": Case(
        Tenancy.bucket,
        lambda t, held: t.storage.put_object(NS, held, "o", b"x"),
        lambda t, held: t.storage.delete_bucket(NS, held),
        lambda t, _: t.storage.delete_object(NS, "full", "o"),
        code="BucketNotEmpty",
    ),
    "bucket, by an upload in parts": Case(
        Tenancy.bucket,
        lambda t, held: (
            t.storage.create_multipart_upload(
                NS, held, om.CreateMultipartUploadDetails(object="o")
            ).data.upload_id
        ),
        lambda t, held: t.storage.delete_bucket(NS, held),
        lambda t, upload: t.storage.abort_multipart_upload(NS, "full", "o", upload),
        code="BucketNotEmpty",
    ),
    "job, by an active run": Case(
        lambda t: str(t.bench.job().id),
        lambda t, held: (
            t.science.create_job_run(
                M.CreateJobRunDetails(
                    project_id=t.bench.project, compartment_id=t.bench.compartment, job_id=held
                )
            ).data.id
        ),
        lambda t, held: t.science.delete_job(held, delete_related_job_runs=True),
        lambda t, run: t.science.cancel_job_run(run),
        ("has a run that is",),
    ),
    "job, by a run that is over": Case(
        lambda t: str(t.bench.job().id),
        lambda t, held: _finished(t, held),
        lambda t, held: t.science.delete_job(held),
        lambda t, run: t.science.delete_job_run(run),
        ("has 1 job run(s)",),
    ),
    "model, by a deployment": Case(
        lambda t: t.model,
        lambda t, _held: t.deployment(),
        lambda t, held: t.science.delete_model(held),
        lambda t, found: t.science.delete_model_deployment(found),
        ("is in use by model deployment",),
    ),
    "version set, by a model": Case(
        Tenancy.version_set,
        lambda t, held: t.bench.model(model_version_set_id=held).id,
        lambda t, held: t.science.delete_model_version_set(held),
        lambda t, model: t.science.delete_model(model),
        ("has 1 model(s)",),
    ),
    "project, by a model": Case(
        lambda t: t.bench.project,
        lambda t, _held: t.model,
        lambda t, held: t.science.delete_project(held),
        lambda t, model: t.science.delete_model(model),
        ("is in use by",),
    ),
    "project, by a job": _project_case(lambda t: str(t.bench.job().id), "delete_job"),
    "project, by a notebook session": _project_case(Tenancy.notebook, "delete_notebook_session"),
    "project, by a version set": _project_case(Tenancy.version_set, "delete_model_version_set"),
    "compartment, by what is in it": Case(
        Tenancy.compartment,
        lambda t, held: (
            t.science.create_project(
                M.CreateProjectDetails(compartment_id=held, display_name="p")
            ).data.id
        ),
        lambda t, held: t.identity.delete_compartment(held),
        lambda t, project: t.science.delete_project(project),
        ("is not empty",),
    ),
}


def _all_deleted(*answers: Any) -> None:
    assert {answer.status for answer in answers} <= {202, 204}


def _rule_from(tenancy: Tenancy, group: str) -> str:
    other = tenancy.network_of("network_security_group")
    rule = c.AddSecurityRuleDetails(
        direction="INGRESS", protocol="all", source=group, source_type="NETWORK_SECURITY_GROUP"
    )
    tenancy.network.add_network_security_group_security_rules(
        other, c.AddNetworkSecurityGroupSecurityRulesDetails(security_rules=[rule])
    )
    return other


def _finished(tenancy: Tenancy, job: str) -> str:
    details = M.CreateJobRunDetails(
        project_id=tenancy.bench.project, compartment_id=tenancy.bench.compartment, job_id=job
    )
    run = tenancy.science.create_job_run(details).data.id
    tenancy.pass_time(HOUR)
    return str(run)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_in_use_stays(case: Case) -> None:
    with mock_oci(Settings(run_seconds=100, deploy_seconds=100), pace=1.0) as mocked:
        tenancy = Tenancy(mocked)
        held = case.held(tenancy)
        holder = case.hold(tenancy, held)
        with refused(409, case.code, *case.words):
            case.delete(tenancy, held)
        case.free(tenancy, holder)
        tenancy.pass_time()
        case.delete(tenancy, held)
