"""OCI's shapes: what each has, and its list price. One table for all of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """One shape. *price_per_hour* is in US dollars at list price, None where none is known; of a
    flexible shape it is by OCPU and by GB.

    *gpu_memory_gb* is what the maker calls it (24 for an A10); *gpu_memory* in bytes is what CUDA
    can give out of it. *tflops* is dense bf16, *gpu_bandwidth_gbs* memory bandwidth in GB/s,
    *network_gbps* what one node has towards the others, *rdma* whether that is a cluster network.
    *source* and *date* are of the price, *facts* of the rest.
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

    @property
    def flexible(self) -> bool:
        """Whether OCPUs and memory are chosen by the user."""
        return self.name.endswith(".Flex")

    @property
    def gpu_memory(self) -> float:
        """Bytes of one GPU that CUDA can give out."""
        raise NotImplementedError


def shapes() -> Mapping[str, Shape]:
    """Name → shape, in the table's order."""
    raise NotImplementedError


def gpu_shapes() -> Mapping[str, Shape]:
    """Those with GPUs."""
    raise NotImplementedError
