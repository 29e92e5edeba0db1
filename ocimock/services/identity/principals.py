"""Users, groups and who is in them."""

from __future__ import annotations

from ...cloud import Cloud, seed
from ...resources import Kind
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from .base import GroupExists, UserExists, iam

USER = Kind(
    name="user",
    model="User",
    path_id="userId",
    noun="user",
    plural="users",
    regional=False,
    unique=("name",),
    defaults=(("isMfaActivated", False),),
    children=(("groupmembership", "userId"),),
    duplicate=UserExists,
)
GROUP = Kind(
    name="group",
    model="Group",
    path_id="groupId",
    noun="group",
    plural="groups",
    regional=False,
    unique=("name",),
    children=(("groupmembership", "groupId"),),
    duplicate=GroupExists,
)
MEMBERSHIP = Kind(
    name="groupmembership",
    model="UserGroupMembership",
    path_id="userGroupMembershipId",
    noun="user_group_membership",
    plural="user_group_memberships",
    regional=False,
)


@seed
def _plant(cloud: Cloud) -> None:
    """The user that the mock's credentials belong to."""
    settings = cloud.settings
    data = {
        "id": settings.user_id,
        "compartmentId": settings.tenancy_id,
        "name": "ocimock",
        "description": "the user whose credentials ocimock hands out",
        "lifecycleState": "ACTIVE",
        "isMfaActivated": False,
        "timeCreated": cloud.clock.timestamp(),
        "freeformTags": {},
        "definedTags": {},
    }
    cloud.store.add(
        USER.name, settings.user_id, data, etag=cloud.ids.token(16), private={"seeded": True}
    )


def check_in_root(call: Call, record: Record) -> None:
    """:raises InvalidParameter: users and groups of all kinds live in the root compartment only."""
    tenancy = call.cloud.settings.tenancy_id
    if record.data["compartmentId"] != tenancy:
        raise InvalidParameter(
            f"compartmentId must be the tenancy's, {tenancy}, not {record.data['compartmentId']}"
        )


iam(USER, on_create=check_in_root)
iam(GROUP, on_create=check_in_root)
iam(MEMBERSHIP, only=("get", "list"))
