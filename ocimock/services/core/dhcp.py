"""DHCP options."""

from __future__ import annotations

from typing import Any

from ...resources import NETWORK_LIFECYCLE, Kind, crud
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter
from .base import CRUD, SECONDS, SERVICE

DHCP_OPTIONS = Kind(
    name="dhcpoptions",
    model="DhcpOptions",
    path_id="dhcpId",
    noun="dhcp_options",
    plural="dhcp_options",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
    children=(("subnet", "dhcpOptionsId"),),
)


def default_options(domain: str | None) -> list[dict[str, Any]]:
    """The options of a fresh VCN whose DNS domain is *domain*."""
    options: list[dict[str, Any]] = [
        {
            "type": "DomainNameServer",
            "serverType": "VcnLocalPlusInternet",
            "customDnsServers": [],
        }
    ]
    if domain:
        options.append({"type": "SearchDomain", "searchDomainNames": [domain]})
    return options


def _check(_call: Call, record: Record) -> None:
    for number, option in enumerate(record.data["options"]):
        if option["type"] != "DomainNameServer":
            continue
        servers = option.setdefault("customDnsServers", [])
        if option["serverType"] == "CustomDnsServer" and not servers:
            raise InvalidParameter(f"options[{number}].customDnsServers must name a server")


def refuse_default(_call: Call, record: Record) -> None:
    """:raises Conflict: the VCN's default route table, security list or options go with it."""
    if record.private.get("default"):
        raise Conflict(f"{record.id} is a default of {record.data['vcnId']} and goes with its VCN")


crud(SERVICE, DHCP_OPTIONS, on_create=_check, on_update=_check, on_delete=refuse_default, only=CRUD)
