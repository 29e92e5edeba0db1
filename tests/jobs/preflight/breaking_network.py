"""What breaks the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oci

from infra.network import ANYWHERE
from tests.jobs.preflight.whole import Whole

M = oci.core.models
Mend = Callable[[str], None]
SUBNET = "10.0.1.0/24"


def delete_subnet(made: Whole) -> Mend:
    """In the console; the definitions name it still."""
    client = made.administrator.network
    lost = made.places["subnet"]
    _free_of_notebooks(made)
    client.delete_subnet(lost)

    def mend(_remedy: str) -> None:
        made.places["subnet"] = made.administrator.make_subnet(SUBNET)
        made.emit()

    return mend


def close_ingress(made: Whole) -> Mend:
    return _ingress(made, [])


def open_rendezvous_only(made: Whole) -> Mend:
    return _ingress(made, [_tcp(29400, 29400)])


def close_egress(made: Whole) -> Mend:
    """Only to the subnet itself."""
    client, security = made.administrator.network, made.places["security list"]
    before = client.get_security_list(security).data.egress_security_rules
    inside = M.EgressSecurityRule(
        destination=SUBNET, destination_type="CIDR_BLOCK", protocol="all", is_stateless=False
    )
    _change(made, egress_security_rules=[inside])

    def mend(_remedy: str) -> None:
        _change(made, egress_security_rules=before)

    return mend


def without_nat(made: Whole) -> Mend:
    client, table = made.administrator.network, made.places["route table"]
    before = client.get_route_table(table).data.route_rules
    left = [rule for rule in before if rule.destination != ANYWHERE]
    client.update_route_table(table, M.UpdateRouteTableDetails(route_rules=left))

    def mend(_remedy: str) -> None:
        client.update_route_table(table, M.UpdateRouteTableDetails(route_rules=before))

    return mend


def block_nat(made: Whole) -> Mend:
    client, nat = made.administrator.network, made.places["nat"]
    client.update_nat_gateway(nat, M.UpdateNatGatewayDetails(block_traffic=True))

    def mend(_remedy: str) -> None:
        client.update_nat_gateway(nat, M.UpdateNatGatewayDetails(block_traffic=False))

    return mend


def move_to_a_small_subnet(made: Whole) -> Mend:
    """Eight addresses, of which OCI keeps three: six nodes do not find one each."""
    before = made.places["subnet"]
    _widen(made, "10.0.2.0/29")
    made.places["subnet"] = made.administrator.make_subnet("10.0.2.0/29")
    made.emit()

    def mend(_remedy: str) -> None:
        made.places["subnet"] = before
        made.emit()

    return mend


def _ingress(made: Whole, rules: list[Any]) -> Mend:
    client, security = made.administrator.network, made.places["security list"]
    before = client.get_security_list(security).data.ingress_security_rules
    _change(made, ingress_security_rules=rules)

    def mend(_remedy: str) -> None:
        _change(made, ingress_security_rules=before)

    return mend


def _tcp(low: int, high: int, source: str = SUBNET) -> Any:
    ports = M.TcpOptions(destination_port_range=M.PortRange(min=low, max=high))
    return M.IngressSecurityRule(
        protocol="6", source=source, source_type="CIDR_BLOCK", tcp_options=ports
    )


def _widen(made: Whole, cidr: str) -> None:
    """Let the small subnet's nodes reach each other too, so that only its size is wrong."""
    security = made.administrator.network.get_security_list(made.places["security list"]).data
    more = M.IngressSecurityRule(protocol="all", source=cidr, source_type="CIDR_BLOCK")
    _change(made, ingress_security_rules=[*security.ingress_security_rules, more])


def _change(made: Whole, **changes: Any) -> None:
    details = M.UpdateSecurityListDetails(**changes)
    made.administrator.network.update_security_list(made.places["security list"], details)


def _free_of_notebooks(made: Whole) -> None:
    """A subnet is deleted only when nothing is attached to it."""
    science = made.admin(oci.data_science.DataScienceClient)
    science.delete_notebook_session(made.places["notebook"])
    science.get_notebook_session(made.places["notebook"])
