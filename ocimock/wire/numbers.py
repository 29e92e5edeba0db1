"""Whole numbers in queries, header fields and page tokens."""

from __future__ import annotations

import re

# No size or count has more digits, and Python refuses to read thousands of them.
_WHOLE = re.compile(r"[0-9]{1,18}")


def whole(text: str) -> int | None:
    """The number that *text* writes in decimal digits; None where it is anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None
