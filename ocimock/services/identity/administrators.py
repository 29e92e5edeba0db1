"""What a tenancy is born with: its administrators, and the policy that lets them do everything.

Source: OCI documentation, "The Administrators Group and Policy".
"""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud, seed
from .policies import POLICY
from .principals import GROUP, MEMBERSHIP

ADMINISTRATORS = "Administrators"
ADMINISTRATORS_ID = "ocid1.group.oc1..aaaaaaaaocimockadministrators"
_MEMBERSHIP_ID = "ocid1.groupmembership.oc1..aaaaaaaaocimockadministrator"
_POLICY_ID = "ocid1.policy.oc1..aaaaaaaaocimocktenantadminpolicy"


@seed
def _plant(cloud: Cloud) -> None:
    """The group, the mock's own user in it, and the policy."""
    _add(
        cloud,
        GROUP.name,
        ADMINISTRATORS_ID,
        name=ADMINISTRATORS,
        description="Administrators",
        freeformTags={},
        definedTags={},
    )
    _add(
        cloud,
        MEMBERSHIP.name,
        _MEMBERSHIP_ID,
        userId=cloud.settings.user_id,
        groupId=ADMINISTRATORS_ID,
    )
    _add(
        cloud,
        POLICY.name,
        _POLICY_ID,
        name="Tenant Admin Policy",
        description="Tenant Admin Policy",
        statements=[f"ALLOW GROUP {ADMINISTRATORS} to manage all-resources IN TENANCY"],
        freeformTags={},
        definedTags={},
    )


def _add(cloud: Cloud, kind: str, identifier: str, **fields: Any) -> None:
    data = {
        "id": identifier,
        "compartmentId": cloud.settings.tenancy_id,
        "lifecycleState": "ACTIVE",
        "timeCreated": cloud.clock.timestamp(),
        **fields,
    }
    # A fixed etag: the identifiers of what comes later stay as they were.
    cloud.store.add(kind, identifier, data, etag="seeded", private={"seeded": True})
