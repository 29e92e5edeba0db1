"""Regions and their availability domains."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cloud import Settings

# Every tenancy has its own prefix before the names of availability domains.
_PREFIX = "oMck"

# Source: OCI documentation, "Regions and Availability Domains". All others have one.
_THREE_DOMAINS = frozenset({"us-ashburn-1", "us-phoenix-1", "eu-frankfurt-1", "uk-london-1"})


def availability_domains(region: str) -> list[str]:
    """The names of *region*'s availability domains."""
    count = 3 if region in _THREE_DOMAINS else 1
    return [f"{_PREFIX}:{region.upper()}-AD-{number}" for number in range(1, count + 1)]


@functools.cache
def regions() -> tuple[tuple[str, str], ...]:
    """Every region of Oracle's public cloud that the installed SDK knows: key in upper case, name.

    Those that came after the installed release are unknown.
    """
    from oci.regions import REGION_REALMS, REGIONS, REGIONS_SHORT_NAMES

    keys = {name: key.upper() for key, name in REGIONS_SHORT_NAMES.items()}
    public = [name for name in REGIONS if REGION_REALMS[name] == "oc1"]
    return tuple((keys[name], name) for name in sorted(public))


@functools.cache
def region_names() -> frozenset[str]:
    """The names of :func:`regions`."""
    return frozenset(name for _, name in regions())


def subscribed_regions(settings: Settings) -> tuple[str, ...]:
    """The regions that the tenancy has subscribed to: its home region, and the default one."""
    return tuple(dict.fromkeys((settings.home_region, settings.region)))
