"""What the emitted definitions train and serve, in the terms of ``sizing``.

Read from the commands, not from the tenancy file: what is submitted is what counts, and a notebook
session has no tenancy file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sizing.durations import Data
from sizing.models import Model
from sizing.training import Training

from .definitions import Definition


@dataclass(frozen=True)
class Sized:
    """*model* and *data* are None where nothing is known of them; *model_id* and *data_id* are what
    the staging is told to fetch."""

    model_id: str
    data_id: str
    training: Training
    model: Model | None
    data: Data | None


def training_of(finetune: Definition) -> Training:
    """What the command of a ``finetune.yaml`` says, of either recipe."""
    raise NotImplementedError


def sized(definitions: Mapping[str, Definition], finetune: Definition | None = None) -> Sized:
    """Of all definitions; *finetune* is one of its fallbacks, by default the first choice."""
    raise NotImplementedError
