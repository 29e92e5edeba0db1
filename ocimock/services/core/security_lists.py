"""Security lists."""

from __future__ import annotations

from typing import Any

from ...resources import NETWORK_LIFECYCLE, Kind, crud
from ...service import Call
from ...store import Record
from ...wire.errors import IncorrectState
from .base import CRUD, SECONDS, SERVICE
from .dhcp import refuse_default
from .oracle_services import service_labels
from .rules import check_rule

SECURITY_LIST = Kind(
    name="securitylist",
    model="SecurityList",
    path_id="securityListId",
    noun="security_list",
    plural="security_lists",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
)


def default_rules(vcn_cidrs: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The rules of a fresh VCN's default list: SSH and path discovery in, everything out.

    Source: OCI documentation, "Security Lists", "Default Security List".
    """
    ssh = {"destinationPortRange": {"min": 22, "max": 22}}
    ingress: list[dict[str, Any]] = [
        {"protocol": "6", "source": "0.0.0.0/0", "tcpOptions": ssh},
        {"protocol": "1", "source": "0.0.0.0/0", "icmpOptions": {"type": 3, "code": 4}},
    ]
    ingress += [{"protocol": "1", "source": cidr, "icmpOptions": {"type": 3}} for cidr in vcn_cidrs]
    return {
        "ingressSecurityRules": ingress,
        "egressSecurityRules": [{"protocol": "all", "destination": "0.0.0.0/0"}],
    }


def check(call: Call, record: Record) -> None:
    """Check all rules of a list."""
    labels = service_labels(call.region)
    for field, end in (("ingressSecurityRules", "source"), ("egressSecurityRules", "destination")):
        for number, rule in enumerate(record.data[field]):
            check_rule(rule, end, f"{field}[{number}]", labels=labels)


def _delete(call: Call, record: Record) -> None:
    refuse_default(call, record)
    for subnet in call.cloud.store.live("subnet"):
        if record.id in subnet.data["securityListIds"]:
            raise IncorrectState(f"{record.id} is associated with subnet {subnet.id}")


crud(SERVICE, SECURITY_LIST, on_create=check, on_update=check, on_delete=_delete, only=CRUD)
