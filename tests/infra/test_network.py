"""The network: private, and open to nobody but its own nodes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.synthesis import Stacks

Synthesize = Callable[..., Stacks]

SUBNET = "10.0.1.0/24"


def one(stacks: Stacks, stack: str, kind: str) -> dict[str, Any]:
    """The only resource of that type in the stack."""
    (found,) = stacks[stack]["resource"][kind].values()
    return dict(found)


def test_the_subnet_is_private_and_routed_through_the_gateways(synthesize: Synthesize) -> None:
    stacks = synthesize()
    subnet = one(stacks, "network", "oci_core_subnet")
    routes = one(stacks, "network", "oci_core_route_table")["route_rules"]

    assert subnet["prohibit_public_ip_on_vnic"] is True
    assert subnet["cidr_block"] == SUBNET
    assert subnet["route_table_id"] == "${oci_core_route_table.route_table.id}"
    assert subnet["security_list_ids"] == ["${oci_core_security_list.security_list.id}"]
    assert [(rule["destination_type"], rule["network_entity_id"]) for rule in routes] == [
        ("CIDR_BLOCK", "${oci_core_nat_gateway.nat_gateway.id}"),
        ("SERVICE_CIDR_BLOCK", "${oci_core_service_gateway.service_gateway.id}"),
    ]
    assert "oci_core_internet_gateway" not in stacks["network"]["resource"]


@pytest.mark.parametrize("security", ["open-within-subnet", "strict"])
def test_nothing_comes_in_from_outside_the_subnet(synthesize: Synthesize, security: str) -> None:
    stacks = synthesize(f"network: {{security: {security}}}\n")
    rules = one(stacks, "network", "oci_core_security_list")["ingress_security_rules"]

    assert {rule["source"] for rule in rules} == {SUBNET}


def test_open_within_the_subnet_means_every_port(synthesize: Synthesize) -> None:
    (rule,) = one(synthesize(), "network", "oci_core_security_list")["ingress_security_rules"]

    assert rule["protocol"] == "all"
    assert "tcp_options" not in rule


def test_strict_opens_the_rendezvous_and_the_nccl_ports_only(synthesize: Synthesize) -> None:
    text = "network: {security: strict, nccl_ports: {min: 40000, max: 41000}}\n"
    rules = one(synthesize(text), "network", "oci_core_security_list")
    ingress = rules["ingress_security_rules"]
    egress = rules["egress_security_rules"]

    assert [rule["tcp_options"] for rule in ingress if rule["protocol"] == "6"] == [
        {"min": 29400, "max": 29400},
        {"min": 40000, "max": 41000},
    ]
    assert [rule["icmp_options"] for rule in ingress if rule["protocol"] == "1"] == [
        {"type": 3, "code": 4}
    ]
    assert {rule["protocol"] for rule in ingress} == {"6", "1"}
    outwards = [rule for rule in egress if rule["destination"] != SUBNET]
    assert [rule["tcp_options"] for rule in outwards] == [{"min": 443, "max": 443}] * 2
    assert {rule["destination_type"] for rule in outwards} == {"CIDR_BLOCK", "SERVICE_CIDR_BLOCK"}
    assert {rule["protocol"] for rule in egress} == {"6"}


def test_an_existing_subnet_makes_no_network(synthesize: Synthesize) -> None:
    subnet = "ocid1.subnet.oc1.iad.aaaaexisting"
    stacks = synthesize(f"network: {{subnet_id: {subnet}}}\n")

    assert "resource" not in stacks["network"]
    assert stacks["network"]["output"]["subnet_id"]["value"] == subnet
    notebook = one(stacks, "workbench", "oci_datascience_notebook_session")
    assert notebook["notebook_session_config_details"]["subnet_id"] == subnet
    finetune = stacks["workbench"]["output"]["definitions"]["value"]["finetune.yaml"]
    assert f"subnetId: {subnet}\n" in finetune


def test_dns_labels_fit_what_oci_takes(synthesize: Synthesize) -> None:
    vcn = one(synthesize("prefix: a-rather-long-prefix\n"), "network", "oci_core_vcn")

    assert vcn["dns_label"] == "aratherlongpref"
