"""OCI's shapes: what each has, and its list price. One table for all of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "shapes.yaml"

PRICES = Path(".tunestack") / "prices.yaml"
"""Prices of one's own, in the working directory: they go before those of :data:`DATA`. Written by
``jobs prices update``, read by :func:`shapes`."""

GIB = 2**30

PRICE_FIELDS = ("price_per_hour", "price_per_ocpu_hour", "price_per_gb_hour")

RESERVED_GIB = 0.4
"""What a training finds gone of each GPU before its first tensor, in GiB: the CUDA context and the
kernels' code. PyTorch's out-of-memory messages put 0.28 to 0.35 of what a process holds outside its
own memory. NCCL's buffers are a term of the training's own (``memory``)."""

# Where no report of a GPU's capacity is known: ECC and the driver leave at least this of it.
_CAPACITY_LEFT = 0.95

_loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PricesError(Exception):
    """The file of one's own prices can't be read; the message says what to do."""


@dataclass(frozen=True)
class Shape:
    """One shape. *price_per_hour* is in US dollars at list price, None where none is known; of a
    flexible shape it is by OCPU and by GB.

    *gpu_memory_gb* is what the maker calls it (24 for an A10), *capacity_gib* what PyTorch finds of
    it, 0 where nobody reported it; *tflops* is dense bf16, 0 where the GPU has no bf16,
    *fp32_tflops* fp32. *platform* is CUDA or ROCm, *least_torch* the first PyTorch for its GPU
    where an older one is in use.
    *gpu_bandwidth_gbs* is memory bandwidth in GB/s. *network_gbps* is the most that one node has
    towards the others, *ethernet_gbps* what it has without a cluster network, *rdma* whether it has
    one. *ocpus* is of a fixed shape without GPUs. *part* and *memory_part* are part numbers of
    Oracle's price list. *source* and *date* are of the price, *facts* of the rest.
    """

    name: str
    gpus: int = 0
    gpu: str = ""
    gpu_memory_gb: float = 0
    tflops: float = 0
    gpu_bandwidth_gbs: float = 0
    link: str = ""
    network_gbps: float = 0
    rdma: bool = False
    price_per_hour: float | None = None
    price_per_ocpu_hour: float | None = None
    price_per_gb_hour: float | None = None
    jobs: bool = True
    deployments: bool = True
    source: str = ""
    date: str = ""
    facts: str = ""
    capacity_gib: float = 0
    ethernet_gbps: float = 0
    ocpus: int = 0
    part: str = ""
    memory_part: str = ""
    fp32_tflops: float = 0
    platform: str = ""
    least_torch: float = 0

    @property
    def flexible(self) -> bool:
        """Whether OCPUs and memory are chosen by the user."""
        return self.name.endswith(".Flex")

    @property
    def bf16(self) -> bool:
        """Whether its GPUs compute in bf16, as both recipes do."""
        return self.tflops > 0

    @property
    def gpu_capacity(self) -> float:
        """Bytes of one GPU as PyTorch and vLLM count them; vLLM's ``--gpu-memory-utilization`` is a
        share of this."""
        if self.capacity_gib:
            return self.capacity_gib * GIB
        return self.gpu_memory_gb * 1e9 * _CAPACITY_LEFT

    @property
    def gpu_memory(self) -> float:
        """Bytes of one GPU that CUDA can give out to a training: its capacity without
        :data:`RESERVED_GIB`."""
        return max(0.0, self.gpu_capacity - RESERVED_GIB * GIB)

    def dollars_per_hour(self, ocpus: float = 0, memory_gb: float = 0) -> float | None:
        """List price of one for an hour; of a flexible one with so many OCPUs and GB."""
        if self.price_per_hour is not None:
            return self.price_per_hour
        if self.price_per_ocpu_hour is None or self.price_per_gb_hour is None:
            return None
        if not ocpus or not memory_gb:
            return None
        return ocpus * self.price_per_ocpu_hour + memory_gb * self.price_per_gb_hour


def shapes() -> Mapping[str, Shape]:
    """Name → shape, in the table's order, with one's own prices where :data:`PRICES` has some.

    Raises:
        PricesError: that file can't be read.
    """
    try:
        stat = PRICES.stat()
    except OSError:
        return listed()
    return _repriced(PRICES.resolve(), stat.st_mtime_ns, stat.st_size)


def gpu_shapes() -> Mapping[str, Shape]:
    """Those with GPUs."""
    return MappingProxyType({name: shape for name, shape in shapes().items() if shape.gpus})


@cache
def listed() -> Mapping[str, Shape]:
    """The table as the project has it, whatever prices are one's own."""
    data = table()
    return MappingProxyType({name: _shape(name, row, data) for name, row in data["shapes"].items()})


@cache
def table() -> Mapping[str, Any]:
    """The whole of :data:`DATA`."""
    loaded: dict[str, Any] = yaml.load(DATA.read_text(encoding="utf-8"), _loader)
    return MappingProxyType(loaded)


def _shape(name: str, row: Mapping[str, Any], data: Mapping[str, Any]) -> Shape:
    gpu = data["gpus"].get(row.get("gpu"), {})
    source = data["sources"].get(row.get("source"), {})
    ethernet, rdma = float(row.get("ethernet_gbps", 0)), float(row.get("rdma_gbps", 0))
    facts = data["facts"][row["facts"]]
    return Shape(
        name,
        gpus=row.get("gpus", 0),
        gpu=gpu.get("name", row.get("gpu", "")),
        gpu_memory_gb=gpu.get("memory_gb", 0),
        tflops=gpu.get("tflops", 0),
        gpu_bandwidth_gbs=gpu.get("bandwidth_gbs", 0),
        link=row.get("link", ""),
        network_gbps=rdma or ethernet,
        rdma=bool(rdma),
        price_per_hour=row.get("price_per_hour"),
        price_per_ocpu_hour=row.get("price_per_ocpu_hour"),
        price_per_gb_hour=row.get("price_per_gb_hour"),
        jobs=row.get("jobs", True),
        deployments=row.get("deployments", True),
        source=source.get("name", ""),
        date=str(source.get("date", "")),
        facts=f"{facts}; {gpu['source']}" if gpu else facts,
        capacity_gib=gpu.get("capacity_gib", 0),
        ethernet_gbps=ethernet,
        ocpus=row.get("ocpus", 0),
        part=row.get("part", ""),
        memory_part=row.get("memory_part", ""),
        fp32_tflops=gpu.get("fp32_tflops", 0),
        platform=gpu.get("platform", "CUDA") if gpu else "",
        least_torch=gpu.get("least_torch", 0),
    )


@cache
def _repriced(path: Path, _changed: int, _size: int) -> Mapping[str, Shape]:
    """The table with the prices of the file at *path*, read once as long as it stays the same."""
    try:
        own = yaml.load(path.read_text(encoding="utf-8"), _loader)
        source, date = str(own["source"]), str(own["date"])
        found = dict(listed())
        for name, prices in own["shapes"].items():
            if name in found:
                known: Any = {
                    field: float(prices[field]) for field in PRICE_FIELDS if field in prices
                }
                found[name] = replace(found[name], **known, source=source, date=date)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PricesError(
            f"{path} does not hold prices. Delete it, and 'python -m jobs prices update' writes it "
            "anew; without it, the project's own list holds."
        ) from error
    return MappingProxyType(found)
