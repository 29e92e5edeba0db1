"""A private network in which the nodes of a training job reach each other, and nobody else does.

The nodes have no public address. Hugging Face, GitHub and PyPI are reached through a NAT gateway,
Object Storage and the container registry through a service gateway.
"""

from constructs import Construct

from infra.oci.generated.core import (
    DataServices,
    NatGateway,
    RouteTable,
    SecurityList,
    SecurityListEgressSecurityRules,
    SecurityListIngressSecurityRules,
    ServiceGateway,
    Subnet,
    Vcn,
)
from infra.tenancy.schema import Network as NetworkSettings
from infra.tenancy.schema import Tenancy

# Protocol numbers, as strings because OCI takes "all" too.
ALL_PROTOCOLS = "all"
ICMP = "1"
TCP = "6"

# torchrun's c10d rendezvous, fixed by the driver that ADS puts into the job.
RENDEZVOUS_PORT = 29400
HTTPS_PORT = 443
ANYWHERE = "0.0.0.0/0"


class Network:
    """VCN, gateways, route table, security list and subnet; or only the id of an existing subnet.

    ``subnet_id`` is the subnet that jobs and notebooks attach to.
    """

    def __init__(self, scope: Construct, tenancy: Tenancy) -> None:
        if tenancy.network.subnet_id is not None:
            self.subnet_id = tenancy.network.subnet_id
            return
        self.subnet_id = _subnet(scope, tenancy).id


def security_rules(
    settings: NetworkSettings, services_cidr: str
) -> tuple[list[SecurityListIngressSecurityRules], list[SecurityListEgressSecurityRules]]:
    """(ingress, egress) rules. Ingress is never from outside the subnet.

    ``services_cidr`` is the label of Oracle's services in the region.
    """
    subnet = settings.subnet_cidr
    if settings.security == "open-within-subnet":
        return (
            [
                {
                    "protocol": ALL_PROTOCOLS,
                    "source": subnet,
                    "source_type": "CIDR_BLOCK",
                    "description": "Nodes of a job reach each other on any port",
                }
            ],
            [
                {
                    "protocol": ALL_PROTOCOLS,
                    "destination": ANYWHERE,
                    "destination_type": "CIDR_BLOCK",
                    "description": "Out through the gateways",
                }
            ],
        )
    return _strict_ingress(settings), _strict_egress(settings, services_cidr)


def _strict_ingress(settings: NetworkSettings) -> list[SecurityListIngressSecurityRules]:
    rules: list[SecurityListIngressSecurityRules] = [
        {
            "protocol": TCP,
            "source": settings.subnet_cidr,
            "source_type": "CIDR_BLOCK",
            "description": description,
            "tcp_options": {"min": low, "max": high},
        }
        for low, high, description in _node_ports(settings)
    ]
    # Without "fragmentation needed" a path with a smaller MTU swallows large packets silently.
    rules.append(
        {
            "protocol": ICMP,
            "source": settings.subnet_cidr,
            "source_type": "CIDR_BLOCK",
            "description": "Path MTU discovery",
            "icmp_options": {"type": 3, "code": 4},
        }
    )
    return rules


def _strict_egress(
    settings: NetworkSettings, services_cidr: str
) -> list[SecurityListEgressSecurityRules]:
    # DNS and instance metadata (169.254.0.0/16) are not subject to security lists.
    rules: list[SecurityListEgressSecurityRules] = [
        {
            "protocol": TCP,
            "destination": settings.subnet_cidr,
            "destination_type": "CIDR_BLOCK",
            "description": description,
            "tcp_options": {"min": low, "max": high},
        }
        for low, high, description in _node_ports(settings)
    ]
    rules.append(
        {
            "protocol": TCP,
            "destination": services_cidr,
            "destination_type": "SERVICE_CIDR_BLOCK",
            "description": "Object Storage, Vault, Logging and the registry",
            "tcp_options": {"min": HTTPS_PORT, "max": HTTPS_PORT},
        }
    )
    rules.append(
        {
            "protocol": TCP,
            "destination": ANYWHERE,
            "destination_type": "CIDR_BLOCK",
            "description": "Hugging Face, GitHub and PyPI over HTTPS",
            "tcp_options": {"min": HTTPS_PORT, "max": HTTPS_PORT},
        }
    )
    return rules


def _node_ports(settings: NetworkSettings) -> list[tuple[int, int, str]]:
    nccl = settings.nccl_ports
    return [
        (RENDEZVOUS_PORT, RENDEZVOUS_PORT, "torchrun rendezvous"),
        (nccl.min, nccl.max, "NCCL, Gloo and the store, on ephemeral ports"),
    ]


def _subnet(scope: Construct, tenancy: Tenancy) -> Subnet:
    compartment, tags, prefix = tenancy.compartment_ocid, tenancy.tags or None, tenancy.prefix
    vcn = Vcn(
        scope,
        "vcn",
        compartment_id=compartment,
        display_name=f"{prefix}-vcn",
        cidr_blocks=[tenancy.network.vcn_cidr],
        dns_label=_dns_label(prefix),
        freeform_tags=tags,
    )
    services = DataServices(
        scope,
        "services",
        filter=[
            {
                "name": "name",
                "values": ["All .* Services In Oracle Services Network"],
                "regex": True,
            }
        ],
    )
    services_cidr = services.get_string_attribute("services[0].cidr_block")
    nat = NatGateway(
        scope,
        "nat_gateway",
        compartment_id=compartment,
        vcn_id=vcn.id,
        display_name=f"{prefix}-nat",
        freeform_tags=tags,
    )
    service_gateway = ServiceGateway(
        scope,
        "service_gateway",
        compartment_id=compartment,
        vcn_id=vcn.id,
        display_name=f"{prefix}-services",
        services=[{"service_id": services.get_string_attribute("services[0].id")}],
        freeform_tags=tags,
    )
    routes = RouteTable(
        scope,
        "route_table",
        compartment_id=compartment,
        vcn_id=vcn.id,
        display_name=f"{prefix}-private",
        route_rules=[
            {
                "destination": ANYWHERE,
                "destination_type": "CIDR_BLOCK",
                "network_entity_id": nat.id,
                "description": "Internet, outwards only",
            },
            {
                "destination": services_cidr,
                "destination_type": "SERVICE_CIDR_BLOCK",
                "network_entity_id": service_gateway.id,
                "description": "Oracle's services, inside Oracle's network",
            },
        ],
        freeform_tags=tags,
    )
    ingress, egress = security_rules(tenancy.network, services_cidr)
    security = SecurityList(
        scope,
        "security_list",
        compartment_id=compartment,
        vcn_id=vcn.id,
        display_name=f"{prefix}-nodes",
        ingress_security_rules=ingress,
        egress_security_rules=egress,
        freeform_tags=tags,
    )
    return Subnet(
        scope,
        "subnet",
        compartment_id=compartment,
        vcn_id=vcn.id,
        display_name=f"{prefix}-nodes",
        cidr_block=tenancy.network.subnet_cidr,
        dns_label="nodes",
        prohibit_public_ip_on_vnic=True,
        route_table_id=routes.id,
        security_list_ids=[security.id],
        freeform_tags=tags,
    )


def _dns_label(prefix: str) -> str:
    """Letters and digits only, 15 at most, as OCI demands."""
    return prefix.replace("-", "")[:15]
