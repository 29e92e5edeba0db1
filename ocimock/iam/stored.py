"""The mock's own identity service, as the evaluation reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..services.identity.compartments import TENANCY_NAME, compartments
from .directory import Directory, DynamicGroup, Group, Policy, Resource, tags_of

if TYPE_CHECKING:
    from ..cloud import Cloud


def directory_of(cloud: Cloud) -> Directory:
    """What *cloud* holds now. Resources are looked up when they are asked for: they come and go."""
    from .targets import by_ocid

    def resource(ocid: str) -> Resource | None:
        record = by_ocid(cloud, ocid)
        if record is None:
            return None
        compartment = str(record.data.get("compartmentId") or "")
        return Resource(compartment, tags_of(record.data.get("definedTags")))

    live = cloud.store.live
    members: dict[str, set[str]] = {}
    for record in live("groupmembership"):
        members.setdefault(record.data["userId"], set()).add(record.data["groupId"])
    return Directory(
        tenancy=cloud.settings.tenancy_id,
        name=TENANCY_NAME,
        compartments=compartments(cloud),
        groups=tuple(
            Group(each.id, each.data["name"], tags_of(each.data.get("definedTags")))
            for each in live("group")
        ),
        dynamic_groups=tuple(
            DynamicGroup(each.id, each.data["name"], each.data["matchingRule"])
            for each in live("dynamicgroup")
        ),
        members={user: frozenset(groups) for user, groups in members.items()},
        policies=tuple(
            Policy(each.data["compartmentId"], tuple(each.data["statements"]))
            for each in live("policy")
        ),
        users={each.id: each.data["name"] for each in live("user")},
        resource=resource,
    )
