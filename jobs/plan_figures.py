"""Figures of a plan as words, and the tables that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from sizing.ranges import Range

GIB = 2**30
STYLES = {"fits": "green", "tight": "yellow", "does not fit": "red"}
BEST, PRESENT = ">", "*"


def hours(found: Range | None) -> str:
    """``2.5 (1.9-3.8)``"""
    return "?" if found is None else f"{found.expected:.1f} ({found.low:.1f}-{found.high:.1f})"


def dollars(found: Range | None) -> str:
    """``$60 ($45-$91)``"""
    if found is None:
        return "?"
    return f"${found.expected:,.0f} (${found.low:,.0f}-${found.high:,.0f})"


def gib(size: float) -> str:
    return f"{size / GIB:,.1f}"


def gibs(found: Range) -> str:
    """``17.8 (12.9-24.3)``"""
    return f"{gib(found.expected)} ({gib(found.low)}-{gib(found.high)})"


def grid(*columns: tuple[str, str]) -> Table:
    """A table without lines; of its columns only those that ``wrap`` do."""
    drawn = Table(box=None, pad_edge=False)
    for heading, how in columns:
        drawn.add_column(
            heading, justify="right" if how == "right" else "left", no_wrap=how != "wrap"
        )
    return drawn
