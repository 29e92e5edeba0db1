"""Key Management, by the modules that answer its operations."""

from . import crypto, keys, signing, vaults  # noqa: F401 - each registers its operations
from .base import SERVICE

__all__ = ["SERVICE"]
