"""Logging, by the modules that answer its operations."""

from ... import work_requests
from . import ingestion, management, saved_searches, search  # noqa: F401 - each registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]

work_requests.register(SERVICE)
