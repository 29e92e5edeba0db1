"""What can be read from an OCID: ``ocid1.TYPE.REALM.[REGION].UNIQUE``."""

from __future__ import annotations


def region(ocid: str) -> str:
    """The region's name, or its three-letter key; '' where the OCID has none."""
    parts = ocid.split(".")
    return parts[3] if len(parts) >= 5 else ""
