"""The bucket: fine-tuned weights, merged models, recipes and definitions lie in it."""

from constructs import Construct

from infra.lifecycle import lifecycle
from infra.oci.generated.objectstorage import Bucket, DataNamespace
from infra.tenancy.schema import Tenancy


class Storage:
    """A private bucket with versioning, which a model by reference demands."""

    def __init__(self, scope: Construct, tenancy: Tenancy, bucket: str) -> None:
        namespace = DataNamespace(scope, "namespace", compartment_id=tenancy.compartment_ocid)
        self.bucket = Bucket(
            scope,
            "bucket",
            compartment_id=tenancy.compartment_ocid,
            namespace=namespace.namespace,
            name=bucket,
            access_type="NoPublicAccess",
            storage_tier="Standard",
            versioning="Enabled",
            freeform_tags=tenancy.tags or None,
            **lifecycle(tenancy),
        )
