"""Object Storage: its operations register themselves as their modules are imported."""

from __future__ import annotations

from . import buckets, copies, listing, objects, preauthenticated, uploads
from .base import SERVICE

__all__ = ["SERVICE", "buckets", "copies", "listing", "objects", "preauthenticated", "uploads"]
