"""Whether what is needed fits what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .ranges import Range
from .shapes import GIB, Shape

Verdict = Literal["fits", "tight", "does not fit"]

LEAST_LEFT = 0.05
"""With less than this share of the memory left, it is tight: the allocator's fragments grow."""


@dataclass(frozen=True)
class Fit:
    """*verdict*, and *why*: a sentence with the figures."""

    verdict: Verdict
    why: str


def fit(needed: Range, shape: Shape) -> Fit:
    """*needed* bytes on each GPU of *shape*, by :attr:`Shape.gpu_memory`.

    It does not fit where what is expected is more than there is. It is tight where the upper end
    is, or where less than :data:`LEAST_LEFT` stays free.
    """
    there = shape.gpu_memory
    figures = (
        f"{needed.expected / GIB:.1f} GiB ({needed.low / GIB:.1f} to {needed.high / GIB:.1f}) "
        f"of the {there / GIB:.1f} that {_of_one(shape)} gives"
    )
    if needed.expected > there:
        return Fit("does not fit", f"{figures}: {_gib(needed.expected - there)} too much")
    if needed.high > there:
        over = _gib(needed.high - there)
        return Fit("tight", f"{figures}: at the upper end it is {over} too much")
    left = there - needed.expected
    if left < LEAST_LEFT * there:
        return Fit("tight", f"{figures}: {_gib(left)} left")
    return Fit("fits", f"{figures}: {_gib(left)} left")


def _of_one(shape: Shape) -> str:
    article = "an" if shape.gpu[:1] in "AHLM" else "a"
    return f"{article} {shape.gpu} of {shape.gpu_memory_gb:g} GB"


def _gib(size: float) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB / 10 else f"{size / 2**20:.0f} MiB"
