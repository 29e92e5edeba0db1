"""Which services there are: every folder below ``services/``."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from .service import Service

_SERVICES = Path(__file__).parent / "services"


@functools.cache
def services() -> dict[str, Service]:
    """The services, by name; the import of a folder's ``operations`` registers what it answers."""
    found = {}
    for folder in sorted(path.parent for path in _SERVICES.glob("*/operations.py")):
        module = importlib.import_module(f"ocimock.services.{folder.name}.operations")
        found[module.SERVICE.name] = module.SERVICE
    return found
