"""The names of the limits that the mock knows. The values are the mock's own.

Names of Data Science as public code asks for them (``ds-gpu-a10-count``, ``ds-gpu4-count``,
``ds-standard-e5-core-regional-count``, ``ds-standard-e5-memory-count``, ``ds-block-volume-gb``,
``notebook-session-count``), and so are those of vaults and secrets; those of Data Science's other
shape families are formed alike. Names of compute and networking from OCI's documentation, "Compute
Quotas" and "Networking Quotas".
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..datascience.shapes import SHAPES, Shape

DATA_SCIENCE = "data-science"
SERVICES = {
    "compute": "Compute",
    DATA_SCIENCE: "Data Science",
    "kms": "Key Management",
    "secrets": "Secrets",
    "vcn": "Virtual Cloud Network",
}

_GPUS, _A10S, _CORES, _MEMORY_GB = 16, 32, 512, 8192
_STORAGE_GB = 100_000
_NOTEBOOKS, _VCNS = 100, 50
_VAULTS, _PRIVATE_VAULTS, _SECRETS = 50, 10, 5000


@dataclass(frozen=True)
class Limit:
    """One limit of a service, in each region or in each availability domain (scope ``AD``)."""

    service: str
    name: str
    description: str
    value: int
    scope: str = "REGION"


def shape_limits(shape: Shape) -> tuple[str, ...]:
    """The limits that a node of *shape* counts in: its GPUs, or its OCPUs and its memory."""
    if shape.gpus:
        return (f"ds-{shape.family}-count",)
    cores = f"ds-{shape.family}-core-regional-count"
    return (cores, f"ds-{shape.family}-memory-count") if shape.is_flexible else (cores,)


@functools.cache
def by_name() -> dict[str, Limit]:
    """Every limit, by its name."""
    return {limit.name: limit for limit in (*_of_shapes(), *_OTHERS)}


_OTHERS = (
    Limit(DATA_SCIENCE, "ds-block-volume-gb", "GB of block storage", _STORAGE_GB),
    Limit(DATA_SCIENCE, "notebook-session-count", "Notebook sessions", _NOTEBOOKS),
    Limit("kms", "virtual-vault-count", "Vaults", _VAULTS),
    Limit("kms", "virtual-private-vault-count", "Virtual private vaults", _PRIVATE_VAULTS),
    Limit("secrets", "max-secrets-per-tenancy-count", "Secrets", _SECRETS),
    Limit("vcn", "vcn-count", "Virtual cloud networks", _VCNS),
)


def _of_shapes() -> list[Limit]:
    found: dict[str, Limit] = {}
    for shape in SHAPES:
        series = f"shapes of the {shape.family} series"
        for name in shape_limits(shape):
            found[name] = Limit(DATA_SCIENCE, name, _what(name) + series, _value(name))
        if shape.gpus:
            name = f"{shape.family}-count"
            found[name] = Limit("compute", name, f"GPUs of {series}", _GPUS, scope="AD")
    return list(found.values())


def _what(name: str) -> str:
    if "-core-" in name:
        return "OCPUs of "
    return "GB of memory of " if "-memory-" in name else "GPUs of "


def _value(name: str) -> int:
    if "-core-" in name:
        return _CORES
    if "-memory-" in name:
        return _MEMORY_GB
    return _A10S if "-a10-" in name else _GPUS
