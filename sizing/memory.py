"""What a training takes of each GPU's memory, term by term; docs/sizing.md explains it."""

from __future__ import annotations

from dataclasses import dataclass

from .models import Model
from .ranges import Range
from .training import Training


@dataclass(frozen=True)
class Term:
    """One part of it: *bytes* on each GPU, and *why*, as words and figures."""

    name: str
    bytes: float
    why: str


@dataclass(frozen=True)
class Memory:
    """What one GPU holds at its fullest. *total* is in bytes: the terms are what is expected."""

    terms: tuple[Term, ...]
    total: Range

    def term(self, name: str) -> Term:
        return next(term for term in self.terms if term.name == name)


def training_memory(model: Model, training: Training, gpus: int) -> Memory:
    """Of each of *gpus* that share the training by FSDP (1: none is shared)."""
    raise NotImplementedError
