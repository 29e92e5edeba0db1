"""A tenancy that enforces its policies, for tests that call it with the SDK's clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import oci

from ocimock import MockedCloud

ids = oci.identity.models


@dataclass
class World:
    """A tenancy that enforces its policies, its administrator, and ada in the group people."""

    mocked: MockedCloud
    ada: str
    people: str

    def client(self, sdk_class: Any, *, as_ada: bool = True, region: str = "") -> Any:
        config = self.mocked.user_config(self.ada) if as_ada else dict(self.mocked.config)
        if region:
            config["region"] = region
        return sdk_class(config, retry_strategy=oci.retry.NoneRetryStrategy())

    def identity(self, *, as_ada: bool = False) -> Any:
        return self.client(oci.identity.IdentityClient, as_ada=as_ada, region="us-ashburn-1")

    def storage(self, *, as_ada: bool = True) -> Any:
        return self.client(oci.object_storage.ObjectStorageClient, as_ada=as_ada)

    def network(self, *, as_ada: bool = True) -> Any:
        return self.client(oci.core.VirtualNetworkClient, as_ada=as_ada)

    def allow(self, *statements: str) -> str:
        """A new policy in the root; its OCID."""
        number = len(self.identity().list_policies(self.mocked.tenancy_id).data)
        details = ids.CreatePolicyDetails(
            compartment_id=self.mocked.tenancy_id,
            name=f"p{number}",
            description="d",
            statements=list(statements),
        )
        made: str = self.identity().create_policy(details).data.id
        return made
