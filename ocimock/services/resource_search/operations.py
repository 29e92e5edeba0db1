"""Resource Search, by the modules that answer its operations."""

from . import search  # noqa: F401 - registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
