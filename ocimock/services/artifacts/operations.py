"""OCI Registry, by the modules that answer its operations."""

from . import container_repositories  # noqa: F401 - registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
