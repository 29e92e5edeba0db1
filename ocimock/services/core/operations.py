"""Networking, by the modules that answer its operations."""

from . import (  # noqa: F401 - each registers its operations
    dhcp,
    drgs,
    gateways,
    network_security_groups,
    oracle_services,
    peering,
    private_ips,
    public_ips,
    route_tables,
    security_lists,
    subnets,
    vcns,
)
from .base import SERVICE

__all__ = ["SERVICE"]
