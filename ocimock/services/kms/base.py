"""The service, apart from the modules that answer its operations."""

from ...service import Service

SERVICE = Service(
    "kms",
    (
        "oci.key_management.KmsVaultClient",
        "oci.key_management.KmsManagementClient",
        "oci.key_management.KmsCryptoClient",
    ),
    labels=("kms",),
)
