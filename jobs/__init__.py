"""What runs in the tenancy: reads the emitted definitions and submits them through oracle-ads.

``jobs.open`` is for notebooks and scripts: see ``jobs.api``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import open

__all__ = ["open"]


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: the command line does not need it."""
    if name != "open":
        raise AttributeError(f"module 'jobs' has no attribute '{name}'")
    from . import api

    return api.open
