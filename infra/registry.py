"""The container repository, for those who serve with an image of their own."""

from constructs import Construct

from infra.oci.generated.artifacts import ContainerRepository
from infra.tenancy.schema import Tenancy


class Registry:
    """A private repository in the region's container registry."""

    def __init__(self, scope: Construct, tenancy: Tenancy) -> None:
        self.repository = ContainerRepository(
            scope,
            "repository",
            compartment_id=tenancy.compartment_ocid,
            display_name=f"{tenancy.prefix}/vllm",
            is_public=False,
            freeform_tags=tenancy.tags or None,
        )
