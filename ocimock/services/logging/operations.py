"""Log groups and logs, ingestion and search."""

from __future__ import annotations

from ...service import Service

SERVICE = Service(
    "logging",
    (
        "oci.logging.LoggingManagementClient",
        "oci.loggingsearch.LogSearchClient",
        "oci.loggingingestion.LoggingClient",
    ),
)
