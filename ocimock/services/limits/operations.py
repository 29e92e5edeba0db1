"""Service limits, by the modules that answer its operations."""

from . import quotas, values  # noqa: F401 - each registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
