"""Compartments, dynamic groups, policies, regions and availability domains."""

from __future__ import annotations

from ...cloud import Cloud, seed
from ...service import Service

SERVICE = Service("identity", ("oci.identity.IdentityClient",))


@seed
def _tenancy(cloud: Cloud) -> None:
    """The compartment that the embedded tenancy is born with."""
    now = cloud.clock.timestamp()
    cloud.store.add(
        "compartment",
        cloud.settings.compartment_id,
        {
            "id": cloud.settings.compartment_id,
            "compartmentId": cloud.settings.tenancy_id,
            "name": "sandbox",
            "description": "the compartment that ocimock starts with",
            "lifecycleState": "ACTIVE",
            "timeCreated": now,
            "freeformTags": {},
            "definedTags": {},
        },
        etag=cloud.ids.token(16),
        private={"seeded": True},
    )
