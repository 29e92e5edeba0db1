"""How long a training takes. docs/sizing.md explains the formulas and their sources."""

from __future__ import annotations

from dataclasses import dataclass

from .models import Model
from .ranges import Range
from .shapes import Shape
from .training import Training


@dataclass(frozen=True)
class Data:
    """A data set: its training *rows*, and the *tokens* of one with its prompt, on average."""

    name: str
    rows: int
    tokens: float
    source: str = ""


@dataclass(frozen=True)
class Part:
    """One part of the time, in hours, and *why*, as words and figures."""

    name: str
    hours: Range
    why: str


@dataclass(frozen=True)
class Duration:
    """*steps* of the optimizer, *tokens* computed by all GPUs together with padding, *parts* of the
    time; *hours* is from the first node's start to the last one's end."""

    steps: int
    tokens: int
    parts: tuple[Part, ...]
    hours: Range


def known_data() -> dict[str, Data]:
    """Hugging Face id → data set, of ``data/datasets.yaml``."""
    raise NotImplementedError


def training_time(
    model: Model, training: Training, shape: Shape, replicas: int, data: Data
) -> Duration:
    """Of *replicas* nodes of *shape*."""
    raise NotImplementedError
