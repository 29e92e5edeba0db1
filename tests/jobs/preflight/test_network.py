"""Holes in a network: each is named with its remedy, which mends it; and where a run meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import oci
import pytest

from infra.network import security_rules
from infra.tenancy.schema import Network as NetworkSettings
from infra.tenancy.schema import Ports
from jobs.auth import sign_in
from jobs.definitions import Definition
from jobs.preflight.check import Check, State
from jobs.preflight.checks.gateways import Gateways
from jobs.preflight.checks.network import Addresses, SecurityList, Subnet
from jobs.preflight.looking import Answer, look
from jobs.preflight.subject import Subject
from jobs.record import STEPS, Entry
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.preflight.whole import sdk_rule
from tests.jobs.workbench import Workbench

M = oci.core.models
D = oci.data_science.models
SUBNET, ANYWHERE = "10.0.1.0/24", "0.0.0.0/0"
SAMPLE = "ocid1.subnet.oc1.eu-frankfurt-1.aaaasubnet"
CHECKS: list[Check] = [Subnet(), SecurityList(), Gateways(), Addresses()]


class Net:
    """The network that the bundle makes, and what can be changed in it."""

    def __init__(self, cloud: MockedCloud, settings: NetworkSettings | None = None) -> None:
        self.cloud = cloud
        self.api = oci.core.VirtualNetworkClient(cloud.config)
        self.place: dict[str, Any] = {"compartment_id": cloud.compartment_id}
        vcn = self.api.create_vcn(M.CreateVcnDetails(cidr_blocks=["10.0.0.0/16"], **self.place))
        self.place["vcn_id"] = vcn.data.id
        self.storage_only, self.every = self.api.list_services().data
        self.nat = self.api.create_nat_gateway(M.CreateNatGatewayDetails(**self.place)).data.id
        self.service_gateway = self.api.create_service_gateway(
            M.CreateServiceGatewayDetails(services=_named(self.every), **self.place)
        ).data.id
        self.table = self.api.create_route_table(
            M.CreateRouteTableDetails(
                display_name="private", route_rules=[self.to_nat, self.to_services], **self.place
            )
        ).data.id
        ingress, egress = security_rules(settings or NetworkSettings(), self.every.cidr_block)
        self.ingress = [M.IngressSecurityRule(**sdk_rule(rule)) for rule in ingress]
        self.egress = [M.EgressSecurityRule(**sdk_rule(rule)) for rule in egress]
        self.list = self.api.create_security_list(
            M.CreateSecurityListDetails(
                display_name="nodes",
                ingress_security_rules=self.ingress,
                egress_security_rules=self.egress,
                **self.place,
            )
        ).data.id
        self.subnet = self.make_subnet(SUBNET)

    @property
    def to_nat(self) -> Any:
        return _route(ANYWHERE, self.nat)

    @property
    def to_services(self) -> Any:
        return _route(self.every.cidr_block, self.service_gateway, "SERVICE_CIDR_BLOCK")

    def make_subnet(self, cidr: str, *, private: bool = True) -> str:
        made: str = self.api.create_subnet(
            M.CreateSubnetDetails(
                display_name="nodes",
                cidr_block=cidr,
                prohibit_public_ip_on_vnic=private,
                route_table_id=self.table,
                security_list_ids=[self.list],
                **self.place,
            )
        ).data.id
        return made

    def routes(self, *rules: Any) -> None:
        self.api.update_route_table(self.table, M.UpdateRouteTableDetails(route_rules=list(rules)))

    def rules(self, ingress: list[Any] | None = None, egress: list[Any] | None = None) -> None:
        details = M.UpdateSecurityListDetails(
            ingress_security_rules=self.ingress if ingress is None else ingress,
            egress_security_rules=self.egress if egress is None else egress,
        )
        self.api.update_security_list(self.list, details)

    def block_nat(self, *, block: bool) -> None:
        self.api.update_nat_gateway(self.nat, M.UpdateNatGatewayDetails(block_traffic=block))

    def serve(self, *services: Any, **changes: Any) -> None:
        details = M.UpdateServiceGatewayDetails(services=_named(*services), **changes)
        self.api.update_service_gateway(self.service_gateway, details)

    def resize(self, cidr: str) -> None:
        self.api.update_subnet(self.subnet, M.UpdateSubnetDetails(cidr_block=cidr))


@dataclass
class Room:
    """The network, and the pipeline whose definitions name its subnet."""

    net: Net
    bench: Workbench

    def definitions(self) -> dict[str, Definition]:
        self.bench.places[SAMPLE] = self.net.subnet
        return self.bench.definitions()

    def subject(self, *steps: str) -> Subject:
        wanted = frozenset(steps or STEPS)
        return Subject(self.bench.pipeline(), self.definitions(), wanted)

    def answers(self, *steps: str) -> dict[str, Answer]:
        found = look(CHECKS, self.subject(*steps))
        return {answer.check.name: answer for answer in found}

    def failed(self, *steps: str) -> dict[str, str]:
        """What fails, and what is said of it with the remedies."""
        return {
            name: "\n".join(f"{each.said} -> {each.remedy}" for each in answer.findings)
            for name, answer in self.answers(*steps).items()
            if answer.state is State.FAIL
        }

    def states(self, *steps: str) -> list[str]:
        return [answer.state.value for answer in self.answers(*steps).values()]


@pytest.fixture
def room() -> Iterator[Room]:
    with mock_oci(Settings(enforce_network=True)) as cloud:
        bench = workbench.build(cloud)
        sign_in()
        yield Room(Net(cloud), bench)


def tcp(low: int, high: int, **fields: Any) -> dict[str, Any]:
    ports = M.TcpOptions(destination_port_range=M.PortRange(min=low, max=high))
    return {"protocol": "6", "tcp_options": ports, **fields}


def into(low: int, high: int, **fields: Any) -> Any:
    return M.IngressSecurityRule(source=SUBNET, **tcp(low, high, **fields))


def out_to(destination: str, low: int, high: int, **fields: Any) -> Any:
    return M.EgressSecurityRule(destination=destination, **tcp(low, high, **fields))


def everything_out(destination: str = ANYWHERE, **fields: Any) -> Any:
    return M.EgressSecurityRule(protocol="all", destination=destination, **fields)


_HIGH = M.PortRange(min=32768, max=60999)
BETWEEN_HIGH_PORTS = M.EgressSecurityRule(
    destination=SUBNET,
    protocol="6",
    tcp_options=M.TcpOptions(source_port_range=_HIGH, destination_port_range=_HIGH),
)


def hole_in_security(*, ingress: Any = None, egress: Any = None) -> Callable[[Net], None]:
    return lambda net: net.rules(ingress, egress)


def without_nat(net: Net) -> None:
    net.routes(net.to_services)


def without_any_way(net: Net) -> None:
    net.routes()


def storage_only(net: Net) -> None:
    """Nor a NAT gateway: through that the services would be reached too."""
    net.routes()
    net.serve(net.storage_only)
    label = net.storage_only.cidr_block
    net.routes(_route(label, net.service_gateway, "SERVICE_CIDR_BLOCK"))


def repair_services(net: Net) -> None:
    net.routes()
    net.serve(net.every)
    net.routes(net.to_nat, net.to_services)


@dataclass(frozen=True)
class Hole:
    """*opens* makes it, *check* names it in these words, *mends* does what the remedy says; *ends*
    are words of the details of the fine-tuning's run that meets it."""

    name: str
    check: str
    words: tuple[str, ...]
    opens: Callable[[Net], None]
    mends: Callable[[Net], None]
    ends: tuple[str, ...]


BOOTSTRAP, CODE = "Job run bootstrap failure", "failed with exit code 1"

HOLES = [
    Hole(
        "nothing comes in",
        "security-list",
        ("ingress, TCP, source 10.0.1.0/24, destination port 29400", "port 32768-60999"),
        hole_in_security(ingress=[]),
        lambda net: net.rules([into(29400, 29400), into(32768, 60999)]),
        (CODE, "could not meet", "29400"),
    ),
    Hole(
        "the rendezvous' port only",
        "security-list",
        ("ingress, TCP, source 10.0.1.0/24, destination port 32768-60999",),
        hole_in_security(ingress=[into(29400, 29400)]),
        lambda net: net.rules([into(29400, 29400), into(32768, 60999)]),
        (CODE, "NCCL", "32768-60999"),
    ),
    Hole(
        "half of the subnet may come in",
        "security-list",
        ("source 10.0.1.0/24, destination port 29400",),
        hole_in_security(ingress=[M.IngressSecurityRule(protocol="all", source="10.0.1.0/25")]),
        lambda net: net.rules([into(29400, 29400), into(32768, 60999)]),
        (CODE, "could not meet"),
    ),
    Hole(
        "UDP only",
        "security-list",
        ("source 10.0.1.0/24, destination port 29400",),
        hole_in_security(ingress=[M.IngressSecurityRule(protocol="17", source=SUBNET)]),
        lambda net: net.rules([into(29400, 29400), into(32768, 60999)]),
        (CODE, "could not meet"),
    ),
    Hole(
        "stateless in, and no way for the answers",
        "security-list",
        ("egress, TCP, destination 10.0.1.0/24, source port 29400", "stateless"),
        hole_in_security(
            ingress=[into(29400, 29400, is_stateless=True), into(32768, 60999)],
            egress=[out_to(SUBNET, 29400, 29400), out_to(ANYWHERE, 443, 443), BETWEEN_HIGH_PORTS],
        ),
        lambda net: net.rules(
            [into(29400, 29400, is_stateless=True), into(32768, 60999)],
            [out_to(SUBNET, 29400, 60999), out_to(ANYWHERE, 443, 443)],
        ),
        (CODE, "could not meet"),
    ),
    Hole(
        "nothing goes out but to the subnet",
        "security-list",
        (
            "egress, TCP, destination 0.0.0.0/0, destination port 443",
            "finetune fetches from github.com",
        ),
        hole_in_security(egress=[everything_out(SUBNET)]),
        lambda net: net.rules(egress=[everything_out(SUBNET), out_to(ANYWHERE, 443, 443)]),
        (CODE, "github.com", "port 443"),
    ),
    Hole(
        "out to Oracle's services only",
        "security-list",
        ("egress, TCP, destination 0.0.0.0/0, destination port 443",),
        lambda net: net.rules(egress=[everything_out(SUBNET), _to_services(net)]),
        lambda net: net.rules(egress=[everything_out(SUBNET), out_to(ANYWHERE, 443, 443)]),
        (CODE, "github.com"),
    ),
    Hole(
        "no route to a NAT gateway",
        "gateways",
        ("'private'", "0.0.0.0/0 to the NAT gateway", "stage fetches from the package index"),
        without_nat,
        lambda net: net.routes(net.to_nat, net.to_services),
        (CODE, "github.com", "no route to 0.0.0.0/0"),
    ),
    Hole(
        "a NAT gateway that blocks",
        "gateways",
        ("blocks all traffic", "--block-traffic false"),
        lambda net: net.block_nat(block=True),
        lambda net: net.block_nat(block=False),
        (CODE, "github.com", "blocks all traffic"),
    ),
    Hole(
        "no route at all",
        "gateways",
        ("0.0.0.0/0 to the NAT gateway", "all-fra-services-in-oracle-services-network"),
        without_any_way,
        lambda net: net.routes(net.to_nat, net.to_services),
        (BOOTSTRAP, "artifact"),
    ),
    Hole(
        "the service gateway leads to Object Storage only",
        "gateways",
        ("leads to oci-fra-objectstorage only", "'All FRA Services In Oracle Services Network'"),
        storage_only,
        repair_services,
        (BOOTSTRAP, "oci-fra-objectstorage only"),
    ),
    Hole(
        "a subnet too small",
        "addresses",
        ("5 free addresses of 5, and finetune needs 6", "10.0.1.0/28"),
        lambda net: net.resize("10.0.1.0/29"),
        lambda net: net.resize("10.0.1.0/28"),
        (BOOTSTRAP, "not enough private IPs"),
    ),
]


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_hole_is_named_with_its_remedy_which_mends_it(room: Room, hole: Hole) -> None:
    hole.opens(room.net)
    failed = room.failed()
    assert list(failed) == [hole.check], failed
    for word in hole.words:
        assert word in failed[hole.check]

    hole.mends(room.net)
    assert room.failed() == {}


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_simulated_run_meets_the_same_hole(room: Room, hole: Hole) -> None:
    hole.opens(room.net)
    ended = run(room)
    assert ended.lifecycle_state == "FAILED"
    for word in (*hole.ends, "simulated by ocimock"):
        assert word in ended.lifecycle_details

    hole.mends(room.net)
    assert run(room).lifecycle_state == "SUCCEEDED"


def run(room: Room) -> Any:
    """The fine-tuning of the sample, as ADS submits it, once it has ended."""
    science, cloud = workbench.science(room.net.cloud), room.net.cloud
    group = D.JobNodeGroupConfigurationDetails(
        name="node-group",
        replicas=6,
        minimum_success_replicas=6,
        job_configuration_details=D.DefaultJobConfigurationDetails(
            environment_variables={
                "OCI__RUNTIME_URI": "https://github.com/facebookresearch/llama-recipes.git",
                "OCI__PIP_PKG": "'accelerate>=0.21.0' appdirs",
            }
        ),
        job_infrastructure_configuration_details=D.MultiNodeJobInfrastructureConfigurationDetails(
            shape_name="VM.GPU.A10.2", block_storage_size_in_gbs=256
        ),
    )
    nodes = D.MultiNodeJobNodeConfigurationDetails(
        startup_order="IN_PARALLEL",
        job_network_configuration=D.JobCustomNetworkConfiguration(subnet_id=room.net.subnet),
        job_node_group_configuration_details_list=[group],
    )
    project = room.bench.place("project")
    place = {"project_id": project, "compartment_id": cloud.compartment_id}
    job = science.create_job(
        D.CreateJobDetails(display_name="job", job_node_configuration_details=nodes, **place)
    ).data
    science.create_job_artifact(job.id, b"code", content_disposition="attachment; filename=a.zip")
    made = science.create_job_run(D.CreateJobRunDetails(job_id=job.id, **place)).data
    return science.get_job_run(made.id).data


# --- what is in order -----------------------------------------------------------------------


def test_the_bundles_network_is_in_order(room: Room) -> None:
    assert room.states() == ["pass"] * 4
    said = room.answers()["addresses"].findings[0].said
    assert "253 free addresses; the largest job has 6" in said


def test_the_bundles_strict_network_is_in_order(room: Room) -> None:
    room.net = Net(room.net.cloud, NetworkSettings(security="strict"))
    assert room.states() == ["pass"] * 4
    assert run(room).lifecycle_state == "SUCCEEDED"


def test_ports_narrowed_on_purpose_are_a_warning(room: Room) -> None:
    narrow = NetworkSettings(security="strict", nccl_ports=Ports(min=40000, max=41000))
    room.net = Net(room.net.cloud, narrow)
    answer = room.answers()["security-list"]
    assert answer.state is State.WARN
    assert all("ip_local_port_range" in each.said for each in answer.findings)


def test_stateless_rules_in_both_directions_are_in_order(room: Room) -> None:
    out = everything_out(is_stateless=True)
    back = M.IngressSecurityRule(protocol="all", source=ANYWHERE, is_stateless=True)
    room.net.rules([back], [out])
    assert room.states() == ["pass"] * 4
    assert run(room).lifecycle_state == "SUCCEEDED"


def test_two_rules_cover_what_neither_does_alone(room: Room) -> None:
    halves = [
        M.IngressSecurityRule(protocol="all", source=half)
        for half in ("10.0.1.0/25", "10.0.1.128/25")
    ]
    room.net.rules(halves)
    assert room.states() == ["pass"] * 4


def test_only_jobs_of_several_nodes_need_ways_between_nodes(room: Room) -> None:
    room.net.rules([])
    assert room.failed("stage", "merge") == {}
    assert list(room.failed("finetune")) == ["security-list"]


def test_only_what_fetches_from_outside_needs_a_nat_gateway(room: Room) -> None:
    without_nat(room.net)
    assert room.failed("merge") == {}
    assert "finetune" not in room.failed("stage")["gateways"]


def test_services_are_asked_through_nat_where_there_is_no_service_gateway(room: Room) -> None:
    room.net.routes(room.net.to_nat)
    answer = room.answers()["gateways"]
    assert answer.state is State.WARN
    assert "over their public addresses" in answer.findings[1].said
    assert run(room).lifecycle_state == "SUCCEEDED"


def test_what_lies_behind_a_router_is_not_known(room: Room) -> None:
    api, place = room.net.api, room.net.place
    drg = api.create_drg(M.CreateDrgDetails(compartment_id=place["compartment_id"])).data.id
    api.create_drg_attachment(M.CreateDrgAttachmentDetails(drg_id=drg, vcn_id=place["vcn_id"]))
    room.net.routes(_route(ANYWHERE, drg), room.net.to_services)
    [outwards, services] = room.answers()["gateways"].findings
    assert (outwards.state, services.state) == (State.WARN, State.PASS)
    assert "a dynamic routing gateway" in outwards.said


def test_routes_and_rules_to_some_addresses_only_are_warnings(room: Room) -> None:
    some = "192.0.32.0/20"
    room.net.routes(_route(some, room.net.nat), room.net.to_services)
    room.net.rules(egress=[everything_out(SUBNET), out_to(some, 443, 443), _to_services(room.net)])
    assert room.states() == ["pass", "warn", "warn", "pass"]
    answers = room.answers()
    assert f"leads out to {some} only" in answers["gateways"].findings[0].said
    [finding] = answers["security-list"].findings
    assert "some addresses of the outside" in finding.said
    assert "destination 0.0.0.0/0, destination port 443" in finding.remedy


def test_an_internet_gateway_serves_no_private_subnet(room: Room) -> None:
    details = M.CreateInternetGatewayDetails(is_enabled=True, **room.net.place)
    gateway = room.net.api.create_internet_gateway(details).data.id
    room.net.routes(_route(ANYWHERE, gateway), room.net.to_services)
    assert "serves public addresses only" in room.failed()["gateways"]
    assert "serves no private address" in run(room).lifecycle_details


# --- the subnet itself -----------------------------------------------------------------------


def test_a_public_subnet_is_a_warning(room: Room) -> None:
    room.net.subnet = room.net.make_subnet("10.0.2.0/24", private=False)
    room.net.rules([M.IngressSecurityRule(protocol="all", source="10.0.2.0/24")])
    assert room.states() == ["warn", "pass", "pass", "pass"]


def test_a_subnet_that_is_gone_stops_the_other_checks(room: Room) -> None:
    room.net.api.delete_subnet(room.net.subnet)
    assert room.states() == ["fail", "skipped", "skipped", "skipped"]
    assert "demo-network" in room.failed()["subnet"]


def test_a_subnet_of_another_region_is_told_by_its_ocid(room: Room) -> None:
    room.net.subnet = "ocid1.subnet.oc1.iad.aaaaelsewhere"
    assert "is in us-ashburn-1; the pipeline is in eu-frankfurt-1" in room.failed()["subnet"]


def test_the_subnets_of_fallbacks_are_looked_at(room: Room) -> None:
    small = room.net.make_subnet("10.0.2.0/29")
    room.net.rules(
        [M.IngressSecurityRule(protocol="all", source=each) for each in (SUBNET, "10.0.2.0/29")]
    )
    subject = room.subject()
    first = subject.definitions["finetune"]
    other = Definition(
        "finetune.fallback-1", first.path, first.text.replace(room.net.subnet, small)
    )
    pipeline = subject.pipeline
    steps = tuple(
        _with_fallback(step) if step.name == "finetune" else step for step in pipeline.steps
    )
    subject = Subject(_changed(pipeline, steps=steps), {**subject.definitions, other.name: other})
    answers = {each.check.name: each for each in look(CHECKS, subject)}
    states = [finding.state for finding in answers["addresses"].findings]
    assert states == [State.PASS, State.FAIL]
    assert "finetune.fallback-1 needs 6" in answers["addresses"].findings[1].said


def test_jobs_without_a_subnet_have_the_services_own(room: Room) -> None:
    subject = room.subject()
    bare = {
        name: Definition(name, each.path, each.text.replace(f"subnetId: {room.net.subnet}", ""))
        for name, each in subject.definitions.items()
    }
    found = look(CHECKS, Subject(subject.pipeline, bare))
    assert {answer.state for answer in found} == {State.PASS}
    assert "Data Science's own network" in found[0].findings[0].said


def test_who_may_see_no_networks_is_warned(
    room: Room, faults_of_network: Callable[[], None]
) -> None:
    faults_of_network()
    answers = room.answers()
    assert {answer.state for answer in answers.values()} == {State.WARN}
    assert "could not be looked at" in answers["subnet"].findings[0].said


@pytest.fixture
def faults_of_network(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every read of the network is refused, as without any right to it."""
    found = workbench.Faults(monkeypatch)
    return lambda: found.answer("GET", r"^/20160918/", 404)


# --- addresses that are taken ------------------------------------------------------------------


def test_addresses_that_others_hold_are_counted_until_they_end(room: Room) -> None:
    room.net.resize("10.0.1.0/28")  # 13 addresses
    science, place = workbench.science(room.net.cloud), room.net.place["compartment_id"]
    sessions = [
        science.create_notebook_session(
            D.CreateNotebookSessionDetails(
                project_id=room.bench.place("project"),
                compartment_id=place,
                notebook_session_config_details=D.NotebookSessionConfigDetails(
                    shape="VM.Standard.E4.Flex", subnet_id=room.net.subnet
                ),
            )
        ).data.id
        for _ in range(8)
    ]
    said = room.failed()["addresses"]
    assert "5 free addresses of 13, and finetune needs 6" in said
    assert "10.0.1.0/27" in said
    assert "not enough private IPs" in run(room).lifecycle_details
    # What of it is the pipeline's own ends before the next step begins.
    own = Entry("finetune", "IN_PROGRESS", {}, replicas=1, definition="finetune.yaml")
    subject = replace(room.subject(), under_way=(own,), _kept={})
    assert [each.state for each in Addresses().look(subject)] == [State.PASS]

    science.deactivate_notebook_session(sessions[0])
    science.get_notebook_session(sessions[0])
    assert room.failed() == {}
    assert run(room).lifecycle_state == "SUCCEEDED"


def _to_services(net: Net) -> Any:
    return everything_out(net.every.cidr_block, destination_type="SERVICE_CIDR_BLOCK")


def _with_fallback(step: Any) -> Any:
    return _changed(step, definitions=("finetune.yaml", "finetune.fallback-1.yaml"))


def _changed(thing: Any, **values: Any) -> Any:
    return replace(thing, **values)


def _named(*services: Any) -> list[Any]:
    return [M.ServiceIdRequestDetails(service_id=service.id) for service in services]


def _route(destination: str, gateway: str, kind: str = "CIDR_BLOCK") -> Any:
    return M.RouteRule(destination=destination, destination_type=kind, network_entity_id=gateway)
