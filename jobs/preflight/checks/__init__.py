"""The checks, in the order in which they are told."""

from __future__ import annotations

from ..check import Check


def all_checks() -> list[Check]:
    """One of each."""
    return []
