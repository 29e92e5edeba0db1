"""Vault's secrets, by the modules that answer its operations."""

from . import bundles, secrets  # noqa: F401 - each registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
