"""Addresses of container images that a deployment can name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "images.yaml"
SERVICE_MANAGED = "dsmc://"

# <region's key>.ocir.io or ocir.<region>.oci.oraclecloud.com.
# Source: OCI documentation, "Container Registry Concepts".
_REGISTRY = re.compile(
    r"(?:(?P<key>[a-z]{3})\.ocir\.io|ocir\.(?P<region>[a-z0-9-]+)\.oci\.oraclecloud\.com)"
    r"/(?P<namespace>[^/]+)/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


@dataclass(frozen=True)
class Managed:
    """One of Oracle's containers. *tags* are those that were published when the table was written;
    *serves*: it answers requests of a deployment."""

    name: str
    serves: bool
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registered:
    """An image in OCI's registry. *region* may be a three-letter key; *tag* is '' where a digest
    alone names it."""

    region: str
    namespace: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def name(self) -> str:
        """As the registry's list shows it."""
        return f"{self.repository}:{self.tag}" if self.tag else f"{self.repository}@{self.digest}"


def registered(image: str) -> Registered | None:
    """None of an image that lies elsewhere. One without a tag is that with ``latest``."""
    found = _REGISTRY.fullmatch(image)
    if found is None:
        return None
    digest = found["digest"] or ""
    tag = found["tag"] or ("" if digest else "latest")
    region = found["key"] or found["region"]
    return Registered(region, found["namespace"], found["repository"], tag, digest)


@cache
def managed() -> Mapping[str, Managed]:
    """Name → container, of ``data/images.yaml``."""
    listed: dict[str, dict[str, Any]] = _data()["images"]
    return {
        name: Managed(name, bool(facts["serves"]), tuple(facts.get("tags", ())))
        for name, facts in listed.items()
    }


def dated() -> str:
    """The day that the table is of."""
    return str(_data()["date"])


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return loaded
