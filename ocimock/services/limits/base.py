"""The service, apart from the modules that answer its operations."""

from __future__ import annotations

from ...service import Service

SERVICE = Service(
    "limits",
    ("oci.limits.LimitsClient", "oci.limits.QuotasClient"),
    labels=("limits",),
)
