"""The service, apart from the modules that answer its operations."""

from ...service import Service

SERVICE = Service(
    "logging",
    (
        "oci.logging.LoggingManagementClient",
        "oci.loggingsearch.LogSearchClient",
        "oci.loggingingestion.LoggingClient",
    ),
    labels=("logging", "ingestion.logging"),
)
