"""The compute shapes that Data Science offers, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from ...resources import page
from ...service import Call
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from .base import SERVICE

_EVERYWHERE = ("notebooks", "jobs", "deployments")


@dataclass(frozen=True)
class Shape:
    """A shape: OCPUs and GB of memory (of a flexible one: the most), and where it can be used."""

    name: str
    cores: int
    memory: int
    series: str
    uses: tuple[str, ...] = _EVERYWHERE

    @property
    def gpus(self) -> int:
        """How many GPUs a node has: the last part of the names of shapes with any."""
        return int(self.name.rsplit(".", 1)[-1]) if ".GPU" in self.name else 0

    @property
    def is_flexible(self) -> bool:
        return self.name.endswith(".Flex")

    @property
    def family(self) -> str:
        """Its series as limits spell it: ``gpu-a10`` of VM.GPU.A10.2, ``standard-e4``."""
        series = self.name.split(".", 1)[1].rsplit(".", 1)[0]
        return series.removesuffix("-NC").lower().replace(".", "-")

    def summary(self) -> dict[str, object]:
        return {
            "name": self.name,
            "coreCount": self.cores,
            "memoryInGBs": self.memory,
            "shapeSeries": self.series,
        }


# Source: OCI documentation, "Compute Shapes" and Data Science's "Supported Compute Shapes".
SHAPES = (
    Shape("VM.Standard2.1", 1, 15, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.2", 2, 30, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.4", 4, 60, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.8", 8, 120, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.16", 16, 240, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.24", 24, 320, "INTEL_SKYLAKE"),
    Shape("VM.Standard3.Flex", 32, 512, "GENERIC"),
    Shape("VM.Optimized3.Flex", 18, 256, "GENERIC"),
    Shape("VM.Standard.E3.Flex", 64, 1024, "AMD_ROME"),
    Shape("VM.Standard.E4.Flex", 64, 1024, "AMD_ROME"),
    Shape("VM.Standard.E5.Flex", 94, 1049, "GENERIC"),
    Shape("VM.Standard.A1.Flex", 80, 512, "ARM"),
    Shape("VM.GPU2.1", 12, 72, "NVIDIA_GPU"),
    Shape("BM.GPU2.2", 28, 192, "NVIDIA_GPU"),
    Shape("VM.GPU3.1", 6, 90, "NVIDIA_GPU"),
    Shape("VM.GPU3.2", 12, 180, "NVIDIA_GPU"),
    Shape("VM.GPU3.4", 24, 360, "NVIDIA_GPU"),
    Shape("BM.GPU3.8", 52, 768, "NVIDIA_GPU"),
    Shape("VM.GPU.A10.1", 15, 240, "NVIDIA_GPU"),
    Shape("VM.GPU.A10.2", 30, 480, "NVIDIA_GPU"),
    Shape("BM.GPU.A10.4", 64, 1024, "NVIDIA_GPU"),
    Shape("BM.GPU4.8", 64, 2048, "NVIDIA_GPU"),
    Shape("BM.GPU.A100-v2.8", 128, 2048, "NVIDIA_GPU"),
    Shape("BM.GPU.L40S.4", 112, 1024, "NVIDIA_GPU"),
    Shape("BM.GPU.L40S-NC.4", 112, 1024, "NVIDIA_GPU"),
    Shape("BM.GPU.H100.8", 112, 2048, "NVIDIA_GPU"),
    Shape("BM.GPU.H200.8", 112, 3072, "NVIDIA_GPU"),
    Shape("BM.GPU.B200.8", 128, 4096, "NVIDIA_GPU"),
    Shape("BM.GPU.MI300X.8", 112, 2048, "GENERIC"),
)


def find_shape(name: str) -> Shape | None:
    """The shape of that name."""
    return next((shape for shape in SHAPES if shape.name == name), None)


def check_shape(name: str, use: str, where: str) -> None:
    """:raises InvalidParameter: no shape *name* for *use* (``jobs``), as field *where* wants."""
    allowed = [shape.name for shape in SHAPES if use in shape.uses]
    if name not in allowed:
        raise InvalidParameter(
            f"{where}: shape '{name}' is not available for {use}; there are {', '.join(allowed)}"
        )


def _answer(call: Call, use: str) -> Response:
    found = [shape.summary() for shape in SHAPES if use in shape.uses]
    return page(call, found, collection=False)


SERVICE.operation("list_notebook_session_shapes")(lambda call: _answer(call, "notebooks"))
SERVICE.operation("list_job_shapes")(lambda call: _answer(call, "jobs"))
SERVICE.operation("list_model_deployment_shapes")(lambda call: _answer(call, "deployments"))
