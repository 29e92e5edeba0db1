"""Every GPU shape and number of nodes for a training, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .durations import Data, Duration
from .fit import Fit
from .memory import Memory
from .models import Model
from .ranges import Range
from .shapes import Shape
from .training import Training

MOST_REPLICAS = 64


@dataclass(frozen=True)
class Choice:
    """*replicas* nodes of *shape*. *duration* and *dollars* are None where the data set's size, or
    the price, is not known. *refused* says why it is no choice (the deadline, the budget, the fit),
    '' where it is one."""

    shape: Shape
    replicas: int
    memory: Memory
    fit: Fit
    duration: Duration | None
    dollars: Range | None
    refused: str = ""

    @property
    def gpus(self) -> int:
        return self.shape.gpus * self.replicas


def choice(
    model: Model, training: Training, shape: Shape, replicas: int, data: Data | None = None
) -> Choice:
    """That one."""
    raise NotImplementedError


def choices(
    model: Model,
    training: Training,
    data: Data | None = None,
    *,
    deadline: float | None = None,
    budget: float | None = None,
    by: Literal["cost", "time"] = "cost",
) -> Sequence[Choice]:
    """All, ranked: what can be had first, then what is refused. *deadline* in hours, *budget* in
    US dollars; both are held against the upper end of the range."""
    raise NotImplementedError


def fewest_replicas(model: Model, training: Training, shape: Shape) -> int | None:
    """The least number of nodes on which it fits and is not tight; None where none up to
    :data:`MOST_REPLICAS` is enough."""
    raise NotImplementedError
