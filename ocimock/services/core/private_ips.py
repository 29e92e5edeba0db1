"""Private addresses: what stands in a subnet has one for each of its interfaces.

They are dealt as they are needed and stay for as long as their holder is up. After a restart from
a state file they may be dealt otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from ...cloud import Cloud
from ...identifiers import region_key
from ...resources import page, require
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotImplementedByMock
from ...wire.message import Response
from .base import SERVICE
from .vnics import holders, noun

_DEALT = "core.private_ips"
# By the OCID of the holder and the number of its interface.
_Key = tuple[str, int]


@dataclass(frozen=True)
class PrivateIp:
    """One address of a subnet, and the interface that has it."""

    subnet: Record
    holder: Record
    number: int
    address: str

    def shown(self, region: str) -> dict[str, Any]:
        """As the API shows it."""
        data = self.holder.data
        return {
            "id": self._ocid("privateip", region),
            "vnicId": self._ocid("vnic", region),
            "ipAddress": self.address,
            "subnetId": self.subnet.id,
            "compartmentId": self.subnet.data["compartmentId"],
            "displayName": f"{noun(self.holder)} {self.holder.id}, interface {self.number}",
            "isPrimary": True,
            "ipState": "ASSIGNED",
            "lifetime": "EPHEMERAL",
            # A job run says when it was accepted.
            "timeCreated": data.get("timeCreated") or data.get("timeAccepted"),
            "definedTags": {},
            "freeformTags": {},
        }

    def _ocid(self, kind: str, region: str) -> str:
        """The same for the same interface, for as long as it is there."""
        named = f"{kind}/{self.subnet.id}/{self.holder.id}/{self.number}"
        digest = hashlib.sha256(named.encode()).hexdigest()[:52]
        return f"ocid1.{kind}.oc1.{region_key(region)}.{'a' * 8}{digest}"


def usable_addresses(subnet: Record) -> list[IPv4Address]:
    """The addresses that *subnet* can give out: OCI keeps its first two and its last.

    Source: OCI documentation, "Overview of VCNs and Subnets".
    """
    return list(IPv4Network(subnet.data["cidrBlock"]))[2:-1]


def private_ips(cloud: Cloud, subnet: Record) -> list[PrivateIp]:
    """The addresses of *subnet* that are taken. Who came when there was none left has none."""
    usable = usable_addresses(subnet)
    wanted: dict[_Key, Record] = {
        (holder.id, number): holder
        for holder, count in holders(cloud, subnet)
        for number in range(count)
    }
    tables: dict[str, dict[_Key, str]] = cloud.derived.setdefault(_DEALT, {})
    table = {key: value for key, value in tables.get(subnet.id, {}).items() if key in wanted}
    taken = set(table.values())
    free = (str(address) for address in usable if str(address) not in taken)
    for key in wanted:
        if key not in table and (address := next(free, "")):
            table[key] = address
    tables[subnet.id] = table
    return [
        PrivateIp(subnet, holder, key[1], table[key])
        for key, holder in wanted.items()
        if key in table
    ]


@SERVICE.operation("list_private_ips")
def _list(call: Call) -> Response:
    """By subnet, by address in a subnet, or by interface.

    :raises InvalidParameter: none of these is given.
    """
    if call.query("vlanId"):
        raise NotImplementedByMock("ocimock has no VLANs")
    subnet_id, vnic_id = call.query("subnetId"), call.query("vnicId")
    if not subnet_id and not vnic_id:
        raise InvalidParameter("one of subnetId, vnicId and vlanId must be given")
    store = call.cloud.store
    subnets = [require(call.cloud, "subnet", subnet_id)] if subnet_id else store.live("subnet")
    found = [each.shown(call.region) for subnet in subnets for each in _sorted(call, subnet)]
    for name in ("vnicId", "ipAddress", "ipState", "lifetime"):
        if wanted := call.query(name):
            found = [each for each in found if each[name].upper() == wanted.upper()]
    return page(call, found, collection=False)


def _sorted(call: Call, subnet: Record) -> list[PrivateIp]:
    found = private_ips(call.cloud, subnet)
    return sorted(found, key=lambda each: IPv4Address(each.address))
