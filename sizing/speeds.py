"""How fast GPUs compute and nodes talk: the assumed shares of what data sheets promise.

Each is a range, since each depends on what nobody knows beforehand. docs/sizing.md says what they
rest on; here is the short form.
"""

from __future__ import annotations

from .ranges import Range
from .shapes import Shape
from .training import Training

_GB = 1e9

# The share of dense bf16 peak that the matrix products of a training reach, recomputed ones
# counted. A100: 120 to 180 TFLOPS are what EleutherAI calls attainable ("Transformer Math 101"),
# 46 % is PaLM's model FLOPs utilisation (Chowdhery et al., 2022, table 3). The others by what is
# reported of them: more peak per byte of bandwidth gives a smaller share, and an A10 at 150 W does
# not hold its clock.
_UTILISATION = {
    "A10": Range(0.30, 0.40, 0.50),
    "A100": Range(0.38, 0.48, 0.58),
    "L40S": Range(0.28, 0.38, 0.48),
    "H100": Range(0.28, 0.38, 0.50),
    "H200": Range(0.30, 0.40, 0.52),
    "B200": Range(0.25, 0.35, 0.48),
    "GB200": Range(0.25, 0.35, 0.48),
    "MI300X": Range(0.20, 0.30, 0.42),
}
_UNKNOWN_GPU = Range(0.20, 0.33, 0.50)
# Plain fp32 is so slow that memory keeps up with it.
_IN_FP32 = Range(0.45, 0.65, 0.85)

# Bytes a second that a collective moves for each GPU within a node. PCIe 4: NCCL's maintainers name
# 12 to 24 GB/s on bare metal (NVIDIA/nccl, issue 766); a virtual machine's GPUs may have to go
# through the host's memory. NVLink and xGMI: a share of one direction's 300 to 450 GB/s.
_LINK = {
    "PCIe": Range(5 * _GB, 10 * _GB, 20 * _GB),
    "NVLink": Range(100 * _GB, 200 * _GB, 350 * _GB),
    "xGMI": Range(80 * _GB, 150 * _GB, 250 * _GB),
}
_UNKNOWN_LINK = _LINK["PCIe"]

# The share of a node's network that NCCL turns into payload. Over TCP, public measurements have 0.3
# to 0.6 with few and large messages (NVIDIA/nccl, issues 209 and 450); FSDP's messages are of one
# layer each, and many ranks wait for the slowest. The expected value is FITTED, the only one here
# that is: with it the tutorial's 13b case (6 x VM.GPU.A10.2, LoRA, 3 epochs) takes the about 2.5 h
# that it took. The ends of the range are not.
_OVER_TCP = Range(0.08, 0.11, 0.30)
_OVER_RDMA = Range(0.40, 0.65, 0.85)


def in_fp32(training: Training) -> bool:
    """Whether it computes in fp32, and sends its weights so. llama-recipes never does: without
    ``--pure_bf16`` it keeps them in fp32 and computes in bf16 all the same."""
    return training.precision == "fp32" and training.recipe == "sft"


def peak(shape: Shape, training: Training) -> float:
    """TFLOPS of the data sheet, in what the training computes in."""
    return shape.fp32_tflops if in_fp32(training) else shape.tflops


def utilisation(shape: Shape, training: Training) -> Range:
    """The share of :func:`peak` that a training reaches while it computes."""
    return _IN_FP32 if in_fp32(training) else _UTILISATION.get(shape.gpu, _UNKNOWN_GPU)


def link_rate(shape: Shape) -> Range:
    """Bytes a second for each GPU, within a node."""
    return _LINK.get(shape.link, _UNKNOWN_LINK)


def network_rate(shape: Shape) -> Range:
    """Bytes a second between one node and the others.

    Where there is a cluster network, whether a job run gets it is not documented: the low end is
    what plain Ethernet gives, the rest counts on it.
    """
    ethernet = _OVER_TCP.times(shape.ethernet_gbps * _GB / 8)
    if not shape.rdma:
        return ethernet
    cluster = _OVER_RDMA.times(shape.network_gbps * _GB / 8)
    return Range(ethernet.expected, cluster.expected, cluster.high)
