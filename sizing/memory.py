"""What a training takes of each GPU's memory, term by term; docs/sizing.md explains it.

A step's memory rises and falls: what counts is the fullest of its moments, and the terms are those
of that moment. CUDA's context is not among them: :attr:`Shape.gpu_memory` leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .memory_llama_recipes import LlamaRecipes
from .memory_sft import Sft
from .models import Model
from .ranges import Range
from .terms import MB, Moment, Term
from .training import Recipe, Training

__all__ = ["Memory", "Term", "training_memory"]

NCCL_BUFFERS = 300 * MB
"""NCCL's buffers, outside of torch's allocator: 4 MiB (NCCL_BUFFSIZE's default) for each of its
channels and neighbours. Source: NCCL's user guide, Environment Variables."""

_STAYING = ("weights", "optimizer")

# Of what comes and goes, how much more torch's allocator reserves than is in use: an assumption,
# for blocks are cut to sizes that return each step. FSDP1 gives blocks back late, by the events of
# another stream, so that more of them are there.
_FRAGMENTATION: dict[Recipe, tuple[float, float]] = {
    "sft": (0.10, 0.25),
    "llama-recipes": (0.15, 0.35),
}
# How far what is allocated may be from the formula: that of sft is measured (within a tenth, see
# tests/recipes/test_memory_calibration.py); the other one is only derived.
_FORMULA: dict[Recipe, float] = {"sft": 0.10, "llama-recipes": 0.20}


@dataclass(frozen=True)
class Memory:
    """What one GPU holds at its fullest. *total* is in bytes: the terms are what is expected.
    *moment* is when that is."""

    terms: tuple[Term, ...]
    total: Range
    moment: str = ""

    def term(self, name: str) -> Term:
        return next(term for term in self.terms if term.name == name)

    @property
    def allocated(self) -> float:
        """Bytes that torch's allocator has given out: without what it reserves beyond, and without
        what is not its own."""
        outside = ("communication", "fragmentation")
        return sum(term.bytes for term in self.terms if term.name not in outside)


def training_memory(
    model: Model, training: Training, gpus: int, *, device: Literal["cuda", "cpu"] = "cuda"
) -> Memory:
    """Of each of *gpus* that share the training by FSDP (1: none is shared).

    *device* "cpu" is what the calibration measures: attention there keeps copies that a GPU's
    kernels don't, and the optimizer takes one tensor after the other.
    """
    on_cpu = device == "cpu"
    recipe = training.recipe
    of_recipe = (
        Sft(model, training, gpus, on_cpu)
        if recipe == "sft"
        else LlamaRecipes(model, training, gpus)
    )
    fullest = max(of_recipe.moments(), key=lambda moment: moment.bytes)
    return _memory(fullest, recipe, gpus, on_cpu)


def _memory(moment: Moment, recipe: Recipe, gpus: int, on_cpu: bool) -> Memory:
    passing = sum(term.bytes for term in moment.terms if term.name not in _STAYING)
    staying = moment.bytes - passing
    expected, most = _FRAGMENTATION[recipe]
    talking = NCCL_BUFFERS if gpus > 1 and not on_cpu else 0
    spare = expected * passing
    terms = (
        *moment.terms,
        Term("communication", talking, "NCCL's buffers" if talking else "one GPU alone"),
        Term(
            "fragmentation",
            spare,
            f"{expected:.0%} of what comes and goes, which torch reserves beyond what it uses",
        ),
    )
    off = _FORMULA[recipe]
    total = Range(
        low=staying + (1 - off) * passing + talking / 2,
        expected=moment.bytes + talking + spare,
        high=staying + (1 + off) * (1 + most) * passing + 2 * talking,
    )
    return Memory(terms, total, moment.name)
