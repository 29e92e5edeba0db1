"""Compute, by the modules that answer its operations."""

from . import capacity_reports  # noqa: F401 - registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
