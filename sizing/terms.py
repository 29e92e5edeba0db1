"""The parts of an estimate of memory."""

from __future__ import annotations

from dataclasses import dataclass

GB = 10**9
MB = 10**6


@dataclass(frozen=True)
class Term:
    """One part of it: *bytes* on each GPU, and *why*, as words and figures."""

    name: str
    bytes: float
    why: str


@dataclass(frozen=True)
class Moment:
    """What a GPU holds at a certain point of a step, *name*."""

    name: str
    terms: tuple[Term, ...]

    @property
    def bytes(self) -> float:
        return sum(term.bytes for term in self.terms)


def size(count: float) -> str:
    """Bytes in words: "1.68 GB", "84 MB"."""
    return f"{count / GB:.2f} GB" if count >= GB else f"{count / MB:.3g} MB"
