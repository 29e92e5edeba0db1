"""Whether what is needed fits what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["fits", "tight", "does not fit"]


@dataclass(frozen=True)
class Fit:
    """*verdict*, and *why*: a sentence with the figures."""

    verdict: Verdict
    why: str
