"""The environment variables by which unmodified clients find the mock: configuration only."""

from __future__ import annotations

from pathlib import Path

from .cloud import Settings
from .credentials import PROFILE, Credentials

# The clients of Terraform's oracle/oci provider, as its CLIENT_HOST_OVERRIDES names them.
TERRAFORM_CLIENTS = (
    "oci_core.VirtualNetworkClient",
    "oci_identity.IdentityClient",
    "oci_object_storage.ObjectStorageClient",
    "oci_logging.LoggingManagementClient",
    "oci_datascience.DataScienceClient",
    "oci_artifacts.ArtifactsClient",
    "oci_vault.VaultsClient",
    "oci_secrets.SecretsClient",
    "oci_kms.KmsVaultClient",
    "oci_kms.KmsManagementClient",
    "oci_limits.LimitsClient",
    "oci_monitoring.MonitoringClient",
    "oci_budget.BudgetClient",
)


def credential_environment(settings: Settings, credentials: Credentials) -> dict[str, str]:
    """Where the SDK, ADS, ocifs, oci-cli and Terraform find credentials."""
    config = str(credentials.config_file)
    return {
        "OCI_CONFIG_FILE": config,
        "OCI_CONFIG_LOCATION": config,
        "OCI_CONFIG_PROFILE": PROFILE,
        "OCI_IAM_TYPE": "api_key",
        "OCIFS_CONFIG_LOCATION": config,
        "OCIFS_IAM_TYPE": "api_key",
        "OCI_CLI_CONFIG_FILE": config,
        "OCI_CLI_PROFILE": PROFILE,
        "SUPPRESS_LABEL_WARNING": "True",
        "OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING": "True",
        "TF_VAR_tenancy_ocid": settings.tenancy_id,
        "TF_VAR_user_ocid": settings.user_id,
        "TF_VAR_fingerprint": credentials.fingerprint,
        "TF_VAR_private_key_path": str(credentials.key_file),
    }


def server_environment(
    url: str, ca_file: Path, settings: Settings, credentials: Credentials
) -> dict[str, str]:
    """What to export so that every client of OCI reaches the server at *url* (plain HTTP).

    Clients that insist on https hosts come through it as their proxy, and trust its CA.
    """
    authority = str(ca_file)
    return {
        **credential_environment(settings, credentials),
        "OCIMOCK_URL": url,
        "HTTPS_PROXY": url,
        "https_proxy": url,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "REQUESTS_CA_BUNDLE": authority,
        "CURL_CA_BUNDLE": authority,
        "CLIENT_HOST_OVERRIDES": ";".join(f"{client}={url}" for client in TERRAFORM_CLIENTS),
        "CHECKPOINT_DISABLE": "1",
    }


def variables() -> list[str]:
    """The names that :func:`server_environment` sets."""
    nothing = Credentials(Path(), Path(), "")
    return list(server_environment("", Path(), Settings(), nothing))
