"""Which service limits of Data Science something counts in, and how much.

A shape's series gives the limit's name: ``ds-gpu-a10-count`` of VM.GPU.A10.2 counts GPUs,
``ds-standard-e4-core-regional-count`` and ``ds-standard-e4-memory-count`` the OCPUs and the GB of
flexible shapes. OCI lists the names that a region has (ListLimitDefinitions): what it does not list
is told, not guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..definitions import Definition
from ..record import Entry

SERVICE = "data-science"
STORAGE = "ds-block-volume-gb"
# What a flexible shape has where nobody says. Source: API reference of JobShapeConfigDetails.
_OCPUS, _MEMORY_GB = 1.0, 16.0


def demand(definition: Definition) -> Mapping[str, int]:
    """Limit → amount, while all nodes of *definition* run."""
    machine = definition.machine
    found = of_nodes(machine["shape"], machine["replicas"], machine["ocpus"], machine["memory_gb"])
    storage = int(definition.infrastructure.get("blockStorageSize") or 0)
    if definition.kind == "job" and storage:
        found[STORAGE] = storage * definition.replicas
    return found


def held(entry: Entry) -> Mapping[str, int]:
    """The same of something that is submitted; its storage is not known."""
    return of_nodes(entry.shape, entry.replicas, entry.ocpus, entry.memory_gb)


def of_nodes(shape: str, nodes: int, ocpus: float, memory_gb: float) -> Counter[str]:
    """Of so many nodes of a shape."""
    if not shape:
        return Counter()
    size = shape.rsplit(".", 1)[-1]
    if ".GPU" in shape:
        return Counter({f"ds-{_series(shape)}-count": int(size) * nodes})
    cores = f"ds-{_series(shape)}-core-regional-count"
    if size != "Flex":  # VM.Standard2.4 has four OCPUs
        return Counter({cores: int(size) * nodes})
    memory = f"ds-{_series(shape)}-memory-count"
    each = {cores: ocpus or _OCPUS, memory: memory_gb or _MEMORY_GB}
    return Counter({name: int(amount * nodes) for name, amount in each.items()})


def _series(shape: str) -> str:
    """As limits spell it: ``gpu-a10`` of VM.GPU.A10.2, ``standard-e4``."""
    series = shape.split(".", 1)[1].rsplit(".", 1)[0]
    return series.removesuffix("-NC").lower().replace(".", "-")
