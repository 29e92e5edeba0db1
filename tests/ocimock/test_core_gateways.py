"""Dynamic routing gateways, local peering and reserved public addresses."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import refused
from tests.ocimock.test_core import Network, to

m = oci.core.models


@pytest.fixture
def net(mocked: MockedTenancy) -> Network:
    return Network(mocked)


def drg(net: Network) -> str:
    return str(net.api.create_drg(m.CreateDrgDetails(compartment_id=net.compartment)).data.id)


def attach(net: Network, gateway: str, **fields: Any) -> Any:
    fields = fields or {"vcn_id": net.vcn.id}
    details = m.CreateDrgAttachmentDetails(drg_id=gateway, **fields)
    return net.api.create_drg_attachment(details).data


def test_a_drg_routes_for_the_vcns_attached_to_it(net: Network) -> None:
    gateway = drg(net)
    with refused(400, "InvalidParameter", "not attached"):
        net.routes(to(gateway))
    attachment = attach(net, gateway)
    assert net.api.get_drg_attachment(attachment.id).data.lifecycle_state == "ATTACHED"
    assert attachment.network_details.id == net.vcn.id
    table = net.routes(to(gateway))
    assert table.route_rules[0].network_entity_id == gateway
    listed = net.api.list_drg_attachments(net.compartment, network_id=net.vcn.id).data
    assert [item.id for item in listed] == [attachment.id]
    assert net.api.list_drg_attachments(net.compartment, attachment_type="IPSEC_TUNNEL").data == []

    with refused(409, "Conflict", "attached to a DRG already"):
        attach(net, drg(net))
    with refused(409, "Conflict", attachment.id):
        net.api.delete_drg(gateway)
    with refused(409, "Conflict", attachment.id):
        net.api.delete_route_table(table.id)
        net.api.delete_vcn(net.vcn.id)
    net.api.delete_drg_attachment(attachment.id)
    assert net.api.get_drg_attachment(attachment.id).data.lifecycle_state == "DETACHED"
    net.api.delete_drg(gateway)
    net.api.delete_vcn(net.vcn.id)


def test_an_attachment_names_its_vcn_in_two_ways(net: Network) -> None:
    network = m.VcnDrgAttachmentNetworkCreateDetails(id=net.vcn.id)
    made = attach(net, drg(net), network_details=network)
    assert made.vcn_id == net.vcn.id
    with refused(400, "MissingParameter", "networkDetails.id"):
        attach(net, drg(net), display_name="nowhere")


def peer(net: Network, vcn: str) -> str:
    details = m.CreateLocalPeeringGatewayDetails(compartment_id=net.compartment, vcn_id=vcn)
    return str(net.api.create_local_peering_gateway(details).data.id)


def connect(net: Network, one: str, other: str) -> None:
    details = m.ConnectLocalPeeringGatewaysDetails(peer_id=other)
    net.api.connect_local_peering_gateways(one, details)


def test_two_vcns_are_peered_until_one_leaves(net: Network) -> None:
    here, there = peer(net, net.vcn.id), peer(net, net.make_vcn("10.1.0.0/16").id)
    assert net.api.get_local_peering_gateway(here).data.peering_status == "NEW"
    connect(net, here, there)
    found = net.api.get_local_peering_gateway(here).data
    assert (found.peering_status, found.peer_id) == ("PEERED", there)
    assert found.peer_advertised_cidr == "10.1.0.0/16"
    assert net.api.get_local_peering_gateway(there).data.peer_advertised_cidr == "10.0.0.0/16"
    with refused(409, "Conflict", "already"):
        connect(net, there, here)
    table = net.routes(to(here, "10.1.0.0/16"))
    with refused(409, "Conflict", table.id):
        net.api.delete_local_peering_gateway(here)
    net.api.delete_route_table(table.id)
    net.api.delete_local_peering_gateway(here)
    assert net.api.get_local_peering_gateway(there).data.peering_status == "REVOKED"


def test_overlapping_or_same_vcns_are_not_peered(net: Network) -> None:
    here = peer(net, net.vcn.id)
    with refused(400, "InvalidParameter", "overlaps"):
        connect(net, here, peer(net, net.make_vcn("10.0.0.0/24").id))
    with refused(400, "InvalidParameter", "same VCN"):
        connect(net, here, peer(net, net.vcn.id))


def reserve(net: Network, **fields: Any) -> Any:
    fields = {"lifetime": "RESERVED", **fields}
    details = m.CreatePublicIpDetails(compartment_id=net.compartment, **fields)
    return net.api.create_public_ip(details).data


def test_a_reserved_address_is_a_nat_gateways(net: Network) -> None:
    made = reserve(net)
    by_address = m.GetPublicIpByIpAddressDetails(ip_address=made.ip_address)
    assert net.api.get_public_ip_by_ip_address(by_address).data.id == made.id
    gateway = net.nat(public_ip_id=made.id)
    assert gateway.nat_ip == made.ip_address
    held = net.api.get_public_ip(made.id).data
    assert (held.lifecycle_state, held.assigned_entity_id) == ("ASSIGNED", gateway.id)
    with refused(409, "Conflict", gateway.id):
        net.api.delete_public_ip(made.id)
    net.api.delete_nat_gateway(gateway.id)
    assert net.api.get_public_ip(made.id).data.lifecycle_state == "AVAILABLE"
    listed = net.api.list_public_ips("REGION", net.compartment, lifetime="RESERVED").data
    assert [item.id for item in listed] == [made.id]
    net.api.delete_public_ip(made.id)
    assert net.api.list_public_ips("REGION", net.compartment).data == []


def test_an_ephemeral_address_needs_a_private_one(net: Network) -> None:
    with refused(400, "InvalidParameter", "lifetime"):
        reserve(net, lifetime="EPHEMERAL")
