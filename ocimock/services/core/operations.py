"""Networking, by the modules that answer its operations."""

from . import (  # noqa: F401 - each registers its operations
    dhcp,
    gateways,
    network_security_groups,
    oracle_services,
    route_tables,
    security_lists,
    subnets,
    vcns,
)
from .base import SERVICE

__all__ = ["SERVICE"]
