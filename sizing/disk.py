"""What a job needs of its node's block storage."""

from __future__ import annotations

from dataclasses import dataclass

from .models import Model
from .training import Training


@dataclass(frozen=True)
class Disk:
    """*gb* is what is needed, *recommended_gb* what to ask for; *why* has the parts."""

    gb: float
    recommended_gb: int
    why: str


def training_disk(model: Model, training: Training) -> Disk:
    """Of each node that trains."""
    raise NotImplementedError


def merge_disk(model: Model, training: Training) -> Disk:
    """Of the node that merges."""
    raise NotImplementedError


def stage_disk(model: Model) -> Disk:
    """Of the node that stages."""
    raise NotImplementedError
