"""ocimock: a mock of Oracle Cloud Infrastructure, in the process or on a port.

In the process: ``with mock_oci() as oci: …``. On a port: ``python -m ocimock serve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import Settings
    from .inprocess import MockedCloud, mock_oci

__all__ = ["MockedCloud", "Settings", "mock_oci"]


def __getattr__(name: str) -> Any:
    # Imported on first use: the stand-in Terraform provider lives in this package too, and starts
    # many times a run.
    if name in ("mock_oci", "MockedCloud"):
        from . import inprocess

        return getattr(inprocess, name)
    if name == "Settings":
        from .cloud import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
