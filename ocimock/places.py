"""Regions and their availability domains."""

from __future__ import annotations

from .identifiers import REGION_KEYS

# Every tenancy has its own prefix before the names of availability domains.
_PREFIX = "oMck"

# Source: OCI documentation, "Regions and Availability Domains". All others have one.
_THREE_DOMAINS = frozenset({"us-ashburn-1", "us-phoenix-1", "eu-frankfurt-1", "uk-london-1"})


def availability_domains(region: str) -> list[str]:
    """The names of *region*'s availability domains."""
    count = 3 if region in _THREE_DOMAINS else 1
    return [f"{_PREFIX}:{region.upper()}-AD-{number}" for number in range(1, count + 1)]


def regions() -> list[tuple[str, str]]:
    """Every region that the mock knows: key in upper case, name."""
    return [(key.upper(), name) for name, key in sorted(REGION_KEYS.items())]
