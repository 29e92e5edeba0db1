"""The tenancy that ocimock stands for, and identifiers of the form that OCI gives out."""

from __future__ import annotations

import hashlib

TENANCY_ID = "ocid1.tenancy.oc1..aaaaaaaaocimocktenancy"
COMPARTMENT_ID = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
USER_ID = "ocid1.user.oc1..aaaaaaaaocimockuser"
NAMESPACE = "ocimock"
HOME_REGION = "us-ashburn-1"
DEFAULT_REGION = "eu-frankfurt-1"

# Three-letter region keys, as they stand in OCIDs of regional resources.
# Source: OCI documentation, "Regions and Availability Domains".
REGION_KEYS = {
    "us-ashburn-1": "iad",
    "us-phoenix-1": "phx",
    "us-chicago-1": "ord",
    "us-sanjose-1": "sjc",
    "eu-frankfurt-1": "fra",
    "eu-amsterdam-1": "ams",
    "uk-london-1": "lhr",
    "ap-tokyo-1": "nrt",
    "ap-osaka-1": "kix",
    "ap-sydney-1": "syd",
    "ap-mumbai-1": "bom",
    "ap-seoul-1": "icn",
    "ap-singapore-1": "sin",
    "ca-toronto-1": "yyz",
    "sa-saopaulo-1": "gru",
}

# OCIDs of these newer services spell the region out instead of using its key.
_SPELLED_OUT = {"containerrepo"}


def region_key(region: str) -> str:
    """The key under which *region* appears in OCIDs; a region without one stands for itself."""
    return REGION_KEYS.get(region, region)


class OcidFactory:
    """Gives out OCIDs of OCI's form, unique and the same from one fresh mock to the next."""

    def __init__(self, seed: str = "ocimock") -> None:
        self._seed = seed
        # How many were given out.
        self.last = 0

    def new(self, kind: str, region: str | None) -> str:
        """A new OCID of resource type *kind*; *region* None for a global resource."""
        place = ""
        if region is not None:
            place = region if kind in _SPELLED_OUT else region_key(region)
        return f"ocid1.{kind}.oc1.{place}.{self.token(60, alphabet='ocid')}"

    def uuid(self) -> str:
        """A new identifier in the form of a UUID (versions and etags of objects, log lines)."""
        token = self.token(32)
        return "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))

    def token(self, length: int, *, alphabet: str = "hex") -> str:
        """A new opaque string of *length* lower-case characters (request ids, etags, keys)."""
        self.last += 1
        digest = hashlib.shake_256(f"{self._seed}/{self.last}".encode()).hexdigest(length)
        if alphabet == "ocid":
            return "a" * 8 + digest[: length - 8]
        return digest[:length]
