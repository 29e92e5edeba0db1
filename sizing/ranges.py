"""An estimate with its range."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """What is expected, and between what it may well turn out to be."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> Range:
        """Each of the three, times a *factor* of 0 or more."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)
