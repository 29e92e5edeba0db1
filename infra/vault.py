"""The vault and key for the Hugging Face token. The token itself never passes through Terraform."""

from constructs import Construct

from infra.lifecycle import lifecycle
from infra.oci.generated.kms import Key
from infra.oci.generated.kms import Vault as KmsVault
from infra.tenancy.schema import Tenancy


class Vault:
    """A vault in the shared partition (no hourly price) and a software-protected AES-256 key.

    A secret made by Terraform would stand in its state in clear; so the secret is written by
    ``python -m jobs``, and Terraform knows only its name.
    """

    def __init__(self, scope: Construct, tenancy: Tenancy) -> None:
        self.vault = KmsVault(
            scope,
            "vault",
            compartment_id=tenancy.compartment_ocid,
            display_name=f"{tenancy.prefix}-vault",
            vault_type="DEFAULT",
            freeform_tags=tenancy.tags or None,
            **lifecycle(tenancy),
        )
        self.key = Key(
            scope,
            "key",
            compartment_id=tenancy.compartment_ocid,
            display_name=f"{tenancy.prefix}-secrets",
            management_endpoint=self.vault.management_endpoint,
            key_shape={"algorithm": "AES", "length": 32},  # bytes: AES-256
            protection_mode="SOFTWARE",
            freeform_tags=tenancy.tags or None,
            **lifecycle(tenancy),
        )
