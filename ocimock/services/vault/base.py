"""The service, apart from the modules that answer its operations."""

from ...service import Service

SERVICE = Service(
    "vault",
    ("oci.vault.VaultsClient", "oci.secrets.SecretsClient"),
    labels=("vaults", "secrets.vaults"),
)
