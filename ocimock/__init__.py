"""ocimock: a mock of Oracle Cloud Infrastructure, in the process or on a port.

In the process: ``with mock_oci() as oci: …``. On a port: ``python -m ocimock serve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import Settings
    from .inprocess import BlockedCallError, MockedCloud, mock_oci
    from .served import ServedCloud
    from .tenancy import MockedTenancy

__all__ = [
    "BlockedCallError",
    "MockedCloud",
    "MockedTenancy",
    "ServedCloud",
    "Settings",
    "mock_oci",
]
__version__ = "0.1.0"

_ROOMS = {
    "BlockedCallError": "inprocess",
    "MockedCloud": "inprocess",
    "MockedTenancy": "tenancy",
    "ServedCloud": "served",
    "Settings": "cloud",
    "mock_oci": "inprocess",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: the stand-in Terraform provider lives in this package too, and starts
    # many times a run.
    if name in _ROOMS:
        from importlib import import_module

        return getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
