"""The steps of a run: each submits what its definition says through ADS, and reads it back."""

from __future__ import annotations

# ocimock says this in the lifecycle details of what it only plays.
SIMULATED = "simulated by ocimock"


def is_simulated(details: str | None) -> bool:
    """Whether OCI's words about a resource say that it did not really run."""
    return SIMULATED in (details or "")
