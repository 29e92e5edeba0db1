"""The steps of a run: each submits what its definition says through ADS, and reads it back."""

from __future__ import annotations

# ocimock says this in the lifecycle details of what it only plays, and of what it runs itself.
SIMULATED = "simulated by ocimock"
EXECUTED = "run by ocimock on this machine"


def is_simulated(details: str | None) -> bool:
    """Whether OCI's words about a resource say that it did not really run."""
    return SIMULATED in (details or "")


def is_local(details: str | None) -> bool:
    """Whether they say that it ran for real, but on this machine."""
    return EXECUTED in (details or "")


def where_it_ran(
    details: str | None, *, simulated: bool = False, local: bool = False
) -> dict[str, bool]:
    """The fields of an entry that say where it ran, as OCI's words and what was known before do.

    A job run that is waiting may be called neither; what really ran was never only played.
    """
    local = local or is_local(details)
    return {"simulated": not local and (simulated or is_simulated(details)), "local": local}
