"""Networks: what stands in a VCN, and what OCI refuses of it."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, pages, refused

m = oci.core.models
ANYWHERE = "0.0.0.0/0"


class Network:
    """A VCN 10.0.0.0/16 and short ways to put things into it."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.compartment = mocked.compartment_id
        self.api = client(mocked, oci.core.VirtualNetworkClient)
        self.vcn = self.make_vcn("10.0.0.0/16", dns_label="demo")

    def make_vcn(self, *cidrs: str, **fields: Any) -> Any:
        details = m.CreateVcnDetails(
            compartment_id=self.compartment, cidr_blocks=list(cidrs), **fields
        )
        return self.api.create_vcn(details).data

    def make(self, noun: str, details: str, **fields: Any) -> Any:
        fields.setdefault("vcn_id", self.vcn.id)
        model = getattr(m, details)(compartment_id=self.compartment, **fields)
        return getattr(self.api, f"create_{noun}")(model).data

    def subnet(self, cidr: str = "10.0.1.0/24", **fields: Any) -> Any:
        return self.make("subnet", "CreateSubnetDetails", cidr_block=cidr, **fields)

    def nat(self, **fields: Any) -> Any:
        return self.make("nat_gateway", "CreateNatGatewayDetails", **fields)

    def service_gateway(self, *services: str, **fields: Any) -> Any:
        wanted = services or (self.api.list_services().data[1].id,)
        named = [m.ServiceIdRequestDetails(service_id=service) for service in wanted]
        return self.make("service_gateway", "CreateServiceGatewayDetails", services=named, **fields)

    def routes(self, *rules: Any, **fields: Any) -> Any:
        return self.make(
            "route_table", "CreateRouteTableDetails", route_rules=list(rules), **fields
        )

    def security_list(self, ingress: list[Any] | None = None, **fields: Any) -> Any:
        everything = m.EgressSecurityRule(protocol="all", destination=ANYWHERE)
        return self.make(
            "security_list",
            "CreateSecurityListDetails",
            ingress_security_rules=ingress or [],
            egress_security_rules=[everything],
            **fields,
        )

    def group(self, **fields: Any) -> Any:
        return self.make("network_security_group", "CreateNetworkSecurityGroupDetails", **fields)


@pytest.fixture
def net(mocked: MockedTenancy) -> Network:
    return Network(mocked)


def to(target: str, destination: str = ANYWHERE, kind: str = "CIDR_BLOCK") -> Any:
    return m.RouteRule(network_entity_id=target, destination=destination, destination_type=kind)


# One line a kind: noun, plural, how to make one, how to change it.
KINDS = [
    ("subnet", "subnets", lambda net: net.subnet(), "UpdateSubnetDetails"),
    ("route_table", "route_tables", lambda net: net.routes(), "UpdateRouteTableDetails"),
    (
        "security_list",
        "security_lists",
        lambda net: net.security_list(),
        "UpdateSecurityListDetails",
    ),
    ("nat_gateway", "nat_gateways", lambda net: net.nat(), "UpdateNatGatewayDetails"),
    (
        "internet_gateway",
        "internet_gateways",
        lambda net: net.make("internet_gateway", "CreateInternetGatewayDetails", is_enabled=True),
        "UpdateInternetGatewayDetails",
    ),
    (
        "service_gateway",
        "service_gateways",
        lambda net: net.service_gateway(),
        "UpdateServiceGatewayDetails",
    ),
    (
        "network_security_group",
        "network_security_groups",
        lambda net: net.group(),
        "UpdateNetworkSecurityGroupDetails",
    ),
    (
        "dhcp_options",
        "dhcp_options",
        lambda net: net.make(
            "dhcp_options",
            "CreateDhcpDetails",
            options=[m.DhcpDnsOption(server_type="VcnLocalPlusInternet")],
        ),
        "UpdateDhcpDetails",
    ),
]


@pytest.mark.parametrize(("noun", "plural", "make", "update"), KINDS, ids=[k[0] for k in KINDS])
def test_create_list_update_delete_gone(
    net: Network, noun: str, plural: str, make: Any, update: str
) -> None:
    made = make(net)
    get = getattr(net.api, f"get_{noun}")
    assert made.lifecycle_state == "PROVISIONING"
    assert get(made.id).data.lifecycle_state == "AVAILABLE"

    listed = getattr(net.api, f"list_{plural}")(
        compartment_id=net.compartment, vcn_id=net.vcn.id
    ).data
    assert made.id in [item.id for item in listed]

    details = getattr(m, update)(display_name="renamed", freeform_tags={"a": "b"})
    getattr(net.api, f"update_{noun}")(made.id, details)
    changed = get(made.id).data
    assert (changed.display_name, changed.freeform_tags) == ("renamed", {"a": "b"})

    getattr(net.api, f"delete_{noun}")(made.id)
    assert get(made.id).data.lifecycle_state == "TERMINATED"
    listed = getattr(net.api, f"list_{plural}")(
        compartment_id=net.compartment, vcn_id=net.vcn.id
    ).data
    assert made.id not in [item.id for item in listed]
    with refused(404, "NotAuthorizedOrNotFound", made.id):
        getattr(net.api, f"delete_{noun}")(made.id)


@pytest.mark.parametrize(("noun", "plural", "make", "update"), KINDS, ids=[k[0] for k in KINDS])
def test_needs_a_vcn_that_stands(
    net: Network, noun: str, plural: str, make: Any, update: str
) -> None:
    net.vcn.id = "ocid1.vcn.oc1.fra.missing"
    with refused(404, "NotAuthorizedOrNotFound", "ocid1.vcn.oc1.fra.missing"):
        make(net)


@pytest.mark.parametrize(("noun", "plural", "make", "update"), KINDS, ids=[k[0] for k in KINDS])
def test_a_vcn_with_something_in_it_stays(
    net: Network, noun: str, plural: str, make: Any, update: str
) -> None:
    made = make(net)
    with refused(409, "Conflict", made.id):
        net.api.delete_vcn(net.vcn.id)
    getattr(net.api, f"delete_{noun}")(made.id)
    net.api.delete_vcn(net.vcn.id)


def test_answers_carry_no_work_request(net: Network) -> None:
    details = m.AddVcnCidrDetails(cidr_block="10.1.0.0/16")
    for response in (
        net.api.get_vcn(net.vcn.id),
        net.api.add_vcn_cidr(net.vcn.id, details),
        net.api.delete_vcn(net.vcn.id),
    ):
        assert "opc-work-request-id" not in response.headers


def test_a_vcn_is_born_with_defaults_and_takes_them_along(
    mocked: MockedTenancy, net: Network
) -> None:
    assert net.vcn.vcn_domain_name == "demo.oraclevcn.com"
    assert net.api.get_route_table(net.vcn.default_route_table_id).data.route_rules == []
    rules = net.api.get_security_list(net.vcn.default_security_list_id).data
    assert [rule.protocol for rule in rules.ingress_security_rules] == ["6", "1", "1"]
    options = net.api.get_dhcp_options(net.vcn.default_dhcp_options_id).data.options
    assert options[1].search_domain_names == ["demo.oraclevcn.com"]

    net.api.delete_vcn(net.vcn.id)
    assert net.api.get_vcn(net.vcn.id).data.lifecycle_state == "TERMINATED"
    for noun in ("vcns", "route_tables", "security_lists", "dhcp_options"):
        assert getattr(net.api, f"list_{noun}")(mocked.compartment_id).data == []


@pytest.mark.parametrize("noun", ["route_table", "security_list", "dhcp_options"])
def test_a_default_goes_with_its_vcn_only(net: Network, noun: str) -> None:
    with refused(409, "Conflict", "default"):
        getattr(net.api, f"delete_{noun}")(getattr(net.vcn, f"default_{noun}_id"))


@pytest.mark.parametrize(
    ("cidrs", "words"),
    [
        (["10.0.0.0"], "no prefix"),
        (["10.0.0.1/16"], "host bits"),
        (["10.0.0.0/8"], "/16 to /30"),
        (["10.0.0.0/31"], "/16 to /30"),
        (["fd00::/48"], "IPv4"),
        (["ten"], "ten"),
        (["10.0.0.0/16", "10.0.128.0/17"], "overlaps"),
    ],
)
def test_a_vcn_refuses_wrong_cidrs(net: Network, cidrs: list[str], words: str) -> None:
    with refused(400, "InvalidParameter", "cidrBlocks[", words):
        net.make_vcn(*cidrs)


def test_a_vcn_needs_a_cidr(net: Network) -> None:
    with refused(400, "MissingParameter", "cidrBlocks"):
        net.make_vcn()


@pytest.mark.parametrize("label", ["1st", "has-dash", "a" * 16])
def test_a_dns_label_is_short_and_plain(net: Network, label: str) -> None:
    with refused(400, "InvalidParameter", "dnsLabel", label):
        net.make_vcn("10.9.0.0/16", dns_label=label)


def test_a_vcn_grows_and_shrinks(net: Network) -> None:
    net.api.add_vcn_cidr(net.vcn.id, m.AddVcnCidrDetails(cidr_block="10.1.0.0/16"))
    subnet = net.subnet("10.1.3.0/24")
    with refused(400, "InvalidParameter", subnet.id):
        net.api.remove_vcn_cidr(net.vcn.id, m.RemoveVcnCidrDetails(cidr_block="10.1.0.0/16"))
    narrower = m.ModifyVcnCidrDetails(
        original_cidr_block="10.1.0.0/16", new_cidr_block="10.1.0.0/20"
    )
    net.api.modify_vcn_cidr(net.vcn.id, narrower)
    assert net.api.get_vcn(net.vcn.id).data.cidr_blocks == ["10.0.0.0/16", "10.1.0.0/20"]
    net.api.delete_subnet(subnet.id)
    net.api.remove_vcn_cidr(net.vcn.id, m.RemoveVcnCidrDetails(cidr_block="10.1.0.0/20"))
    assert net.api.get_vcn(net.vcn.id).data.cidr_blocks == ["10.0.0.0/16"]


def test_a_subnet_takes_its_vcns_defaults(net: Network) -> None:
    subnet = net.subnet(dns_label="jobs")
    assert subnet.route_table_id == net.vcn.default_route_table_id
    assert subnet.security_list_ids == [net.vcn.default_security_list_id]
    assert subnet.dhcp_options_id == net.vcn.default_dhcp_options_id
    assert subnet.subnet_domain_name == "jobs.demo.oraclevcn.com"
    assert (subnet.virtual_router_ip, subnet.prohibit_public_ip_on_vnic) == ("10.0.1.1", False)
    assert subnet.virtual_router_mac.startswith("00:00:17:")


def test_a_private_subnet_is_private_both_ways(net: Network) -> None:
    subnet = net.subnet(prohibit_public_ip_on_vnic=True)
    assert (subnet.prohibit_public_ip_on_vnic, subnet.prohibit_internet_ingress) == (True, True)
    with refused(400, "InvalidParameter", "prohibitInternetIngress"):
        net.subnet("10.0.2.0/24", prohibit_public_ip_on_vnic=True, prohibit_internet_ingress=False)


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("10.1.0.0/24", "within"),
        ("10.0.0.0/15", "/16"),
        ("10.0.1.128/25", "overlaps"),
        ("10.0.0.0/16", "overlaps"),
        ("10.0.1.1/24", "host bits"),
    ],
)
def test_a_subnet_lies_in_its_vcn_beside_the_others(net: Network, cidr: str, words: str) -> None:
    net.subnet("10.0.1.0/24")
    with refused(400, "InvalidParameter", "cidrBlock", words):
        net.subnet(cidr)


def test_two_vcns_may_use_the_same_addresses(net: Network) -> None:
    net.subnet("10.0.1.0/24")
    other = net.make_vcn("10.0.0.0/16")
    assert net.subnet("10.0.1.0/24", vcn_id=other.id).vcn_id == other.id


def test_a_subnets_cidr_may_change(net: Network) -> None:
    subnet = net.subnet("10.0.1.0/24")
    net.api.update_subnet(subnet.id, m.UpdateSubnetDetails(cidr_block="10.0.0.0/23"))
    assert net.api.get_subnet(subnet.id).data.virtual_router_ip == "10.0.0.1"


def test_a_refused_update_leaves_no_trace(net: Network) -> None:
    subnet = net.subnet("10.0.1.0/24")
    etag = net.api.get_subnet(subnet.id).headers["etag"]
    with refused(400, "InvalidParameter", "within"):
        net.api.update_subnet(subnet.id, m.UpdateSubnetDetails(cidr_block="11.0.0.0/24"))
    after = net.api.get_subnet(subnet.id)
    assert (after.data.cidr_block, after.headers["etag"]) == ("10.0.1.0/24", etag)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("route_table_id", lambda net, **f: net.routes(**f).id),
        ("security_list_ids", lambda net, **f: [net.security_list(**f).id]),
        (
            "dhcp_options_id",
            lambda net, **f: (
                net.make(
                    "dhcp_options",
                    "CreateDhcpDetails",
                    options=[m.DhcpDnsOption(server_type="VcnLocalPlusInternet")],
                    **f,
                ).id
            ),
        ),
    ],
)
def test_a_subnet_keeps_to_its_own_vcn(net: Network, field: str, make: Any) -> None:
    other = net.make_vcn("10.9.0.0/16")
    wire = oci.core.models.CreateSubnetDetails().attribute_map[field]
    with refused(400, "InvalidParameter", wire, other.id):
        net.subnet(**{field: make(net, vcn_id=other.id)})


def test_a_subnet_has_five_security_lists_at_most(net: Network) -> None:
    six = [net.security_list().id for _ in range(6)]
    with refused(400, "InvalidParameter", "securityListIds"):
        net.subnet(security_list_ids=six)


def test_an_availability_domain_must_exist(net: Network) -> None:
    with refused(400, "InvalidParameter", "availabilityDomain", "EU-FRANKFURT-1-AD-3"):
        net.subnet(availability_domain="nowhere")


def test_what_a_subnet_uses_stays(net: Network) -> None:
    routes, rules = net.routes(), net.security_list()
    subnet = net.subnet(route_table_id=routes.id, security_list_ids=[rules.id])
    with refused(409, "Conflict", subnet.id):
        net.api.delete_route_table(routes.id)
    with refused(409, "IncorrectState", subnet.id):
        net.api.delete_security_list(rules.id)
    net.api.delete_subnet(subnet.id)
    net.api.delete_route_table(routes.id)
    net.api.delete_security_list(rules.id)


@pytest.mark.parametrize("make", [Network.nat, Network.service_gateway])
def test_a_vcn_has_one_gateway_of_a_kind(net: Network, make: Any) -> None:
    make(net)
    with refused(400, "LimitExceeded", net.vcn.id):
        make(net)


def test_a_gateways_route_table_is_of_its_vcn(net: Network) -> None:
    elsewhere = net.routes(vcn_id=net.make_vcn("10.9.0.0/16").id)
    with refused(400, "InvalidParameter", "routeTableId", net.vcn.id):
        net.nat(route_table_id=elsewhere.id)
    gateway = net.service_gateway(route_table_id=(own := net.routes()).id)
    with refused(409, "Conflict", gateway.id):
        net.api.delete_route_table(own.id)
    details = m.UpdateServiceGatewayDetails(route_table_id=elsewhere.id)
    with refused(400, "InvalidParameter", "routeTableId"):
        net.api.update_service_gateway(gateway.id, details)
    nat = net.nat()
    with refused(400, "InvalidParameter", "routeTableId"):
        details = m.UpdateNatGatewayDetails(route_table_id=elsewhere.id)
        net.api.update_nat_gateway(nat.id, details)


def test_dhcp_options_name_their_own_servers(net: Network) -> None:
    option = m.DhcpDnsOption(server_type="CustomDnsServer")
    with refused(400, "InvalidParameter", "options[0].customDnsServers"):
        net.make("dhcp_options", "CreateDhcpDetails", options=[option])
    option.custom_dns_servers = ["10.0.0.2"]
    made = net.make("dhcp_options", "CreateDhcpDetails", options=[option])
    assert made.options[0].custom_dns_servers == ["10.0.0.2"]


def test_routes_lead_to_gateways(net: Network) -> None:
    nat, services = net.nat(), net.service_gateway()
    label = net.api.list_services().data[1].cidr_block
    routes = net.routes(to(nat.id), to(services.id, label, "SERVICE_CIDR_BLOCK"))
    assert [rule.destination for rule in routes.route_rules] == [ANYWHERE, label]
    with refused(409, "Conflict", routes.id):
        net.api.delete_nat_gateway(nat.id)
    with refused(409, "Conflict", routes.id):
        net.api.delete_service_gateway(services.id)
    net.api.update_route_table(routes.id, m.UpdateRouteTableDetails(route_rules=[]))
    net.api.delete_nat_gateway(nat.id)
    net.api.delete_service_gateway(services.id)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (lambda nat, gate: [to(nat, "10.0.0.1/16")], "routeRules[0].destination"),
        (lambda nat, gate: [to(nat), to(nat)], "routeRules[1].destination"),
        (lambda nat, gate: [to(gate)], "SERVICE_CIDR_BLOCK"),
        (lambda nat, gate: [to(nat, "all-fra-services", "SERVICE_CIDR_BLOCK")], "service gateway"),
        (lambda nat, gate: [to(gate, "all-iad", "SERVICE_CIDR_BLOCK")], "oci-fra-objectstorage"),
    ],
)
def test_a_route_table_refuses_wrong_rules(net: Network, rules: Any, words: str) -> None:
    targets = net.nat().id, net.service_gateway().id
    with refused(400, "InvalidParameter", words):
        net.routes(*rules(*targets))


def test_a_route_needs_its_target(net: Network) -> None:
    missing = "ocid1.natgateway.oc1.fra.missing"
    with refused(404, "NotAuthorizedOrNotFound", missing):
        net.routes(to(missing))


def test_the_regions_services(net: Network) -> None:
    found = {service.name: service.cidr_block for service in net.api.list_services().data}
    assert found == {
        "OCI FRA Object Storage": "oci-fra-objectstorage",
        "All FRA Services In Oracle Services Network": (
            "all-fra-services-in-oracle-services-network"
        ),
    }
    first = net.api.list_services().data[0]
    assert net.api.get_service(first.id).data.name == first.name


def test_a_service_gateway_names_its_services(net: Network) -> None:
    first, second = net.api.list_services().data
    gateway = net.service_gateway(first.id)
    assert [service.service_name for service in gateway.services] == [first.name]
    wanted = m.ServiceIdRequestDetails(service_id=second.id)
    net.api.attach_service_id(gateway.id, wanted)
    assert len(net.api.get_service_gateway(gateway.id).data.services) == 2
    with refused(409, "Conflict", second.name):
        net.api.attach_service_id(gateway.id, wanted)
    net.api.detach_service_id(gateway.id, wanted)
    assert len(net.api.get_service_gateway(gateway.id).data.services) == 1
    missing = m.ServiceIdRequestDetails(service_id="ocid1.service.oc1.fra.missing")
    with refused(404, "NotAuthorizedOrNotFound", missing.service_id):
        net.api.attach_service_id(gateway.id, missing)
    for change in (net.api.attach_service_id, net.api.detach_service_id):
        with refused(412, "NoEtagMatch"):
            change(gateway.id, wanted, if_match="old")
    details = m.UpdateServiceGatewayDetails(services=[wanted])
    updated = net.api.update_service_gateway(gateway.id, details).data
    assert [service.service_name for service in updated.services] == [second.name]
    with refused(400, "InvalidParameter", "services", "twice"):
        details = m.UpdateServiceGatewayDetails(services=[wanted, wanted])
        net.api.update_service_gateway(gateway.id, details)


def ports(low: int, high: int) -> Any:
    return m.TcpOptions(destination_port_range=m.PortRange(min=low, max=high))


def test_security_rules_get_their_defaults(net: Network) -> None:
    rule = m.IngressSecurityRule(
        protocol="6", source="10.0.1.0/24", tcp_options=ports(29400, 29400)
    )
    (kept,) = net.security_list([rule]).ingress_security_rules
    assert (kept.source_type, kept.is_stateless) == ("CIDR_BLOCK", False)
    assert kept.tcp_options.destination_port_range.max == 29400


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ({"protocol": "tcp", "source": ANYWHERE}, "ingressSecurityRules[0].protocol"),
        ({"protocol": "256", "source": ANYWHERE}, "ingressSecurityRules[0].protocol"),
        ({"protocol": "6", "source": "anywhere"}, "ingressSecurityRules[0].source"),
        (
            {"protocol": "17", "source": ANYWHERE, "tcp_options": ports(1, 2)},
            "ingressSecurityRules[0].tcpOptions",
        ),
        (
            {"protocol": "6", "source": ANYWHERE, "tcp_options": ports(2, 1)},
            "ingressSecurityRules[0].tcpOptions.destinationPortRange",
        ),
        (
            {"protocol": "6", "source": ANYWHERE, "tcp_options": ports(0, 70000)},
            "ingressSecurityRules[0].tcpOptions.destinationPortRange",
        ),
        (
            {"protocol": "6", "source": "all-iad", "source_type": "SERVICE_CIDR_BLOCK"},
            "ingressSecurityRules[0].source",
        ),
    ],
)
def test_a_security_list_refuses_wrong_rules(
    net: Network, rule: dict[str, Any], where: str
) -> None:
    with refused(400, "InvalidParameter", where):
        net.security_list([m.IngressSecurityRule(**rule)])


def nsg_rule(**fields: Any) -> Any:
    usual = {"direction": "INGRESS", "protocol": "6", "source": "10.0.0.0/16"}
    return m.AddSecurityRuleDetails(**{**usual, **fields})


def test_rules_of_a_network_security_group(net: Network) -> None:
    group = net.group().id

    def rules(**options: Any) -> list[Any]:
        return list(net.api.list_network_security_group_security_rules(group, **options).data)

    out = nsg_rule(direction="EGRESS", source=None, destination=ANYWHERE)
    details = m.AddNetworkSecurityGroupSecurityRulesDetails(security_rules=[nsg_rule(), out])
    added = net.api.add_network_security_group_security_rules(group, details).data.security_rules
    assert [rule.direction for rule in added] == ["INGRESS", "EGRESS"]
    assert [rule.id for rule in rules(direction="EGRESS")] == [added[1].id]

    changed = m.UpdateSecurityRuleDetails(
        id=added[0].id, direction="INGRESS", protocol="all", source="10.0.0.0/16"
    )
    net.api.update_network_security_group_security_rules(
        group, m.UpdateNetworkSecurityGroupSecurityRulesDetails(security_rules=[changed])
    )
    assert rules()[0].protocol == "all"

    gone = m.RemoveNetworkSecurityGroupSecurityRulesDetails(security_rule_ids=[added[0].id])
    assert net.api.remove_network_security_group_security_rules(group, gone).status == 204
    assert [rule.id for rule in rules()] == [added[1].id]
    with refused(400, "InvalidParameter", "securityRuleIds[0]", added[0].id):
        net.api.remove_network_security_group_security_rules(group, gone)


def test_a_rule_may_name_another_group(net: Network) -> None:
    first, second = net.group().id, net.group().id
    rule = nsg_rule(source=second, source_type="NETWORK_SECURITY_GROUP")
    details = m.AddNetworkSecurityGroupSecurityRulesDetails(security_rules=[rule])
    net.api.add_network_security_group_security_rules(first, details)
    with refused(409, "Conflict", first):
        net.api.delete_network_security_group(second)


def test_lists_come_in_pages(net: Network) -> None:
    made = [net.security_list().id for _ in range(4)]
    found = pages(net.api.list_security_lists, net.compartment, limit=2, vcn_id=net.vcn.id)
    assert [len(page) for page in found] == [2, 2, 1]
    assert {item.id for page in found for item in page} == {
        *made,
        net.vcn.default_security_list_id,
    }


def test_moves_to_another_compartment(mocked: MockedTenancy, net: Network) -> None:
    subnet = net.subnet()
    details = m.ChangeSubnetCompartmentDetails(compartment_id=mocked.tenancy_id)
    net.api.change_subnet_compartment(subnet.id, details)
    assert net.api.get_subnet(subnet.id).data.compartment_id == mocked.tenancy_id
    with refused(404, "NotAuthorizedOrNotFound"):
        details = m.ChangeSubnetCompartmentDetails(compartment_id="ocid1.compartment.oc1..no")
        net.api.change_subnet_compartment(subnet.id, details)


def test_a_region_shows_its_own_only(mocked: MockedTenancy, net: Network) -> None:
    elsewhere = client(mocked, oci.core.VirtualNetworkClient, region="us-ashburn-1")
    assert elsewhere.list_vcns(net.compartment).data == []
    with refused(404, "NotAuthorizedOrNotFound", net.vcn.id):
        elsewhere.get_vcn(net.vcn.id)


def test_an_old_etag_is_refused(net: Network) -> None:
    with refused(412, "NoEtagMatch"):
        net.api.delete_vcn(net.vcn.id, if_match="old")
