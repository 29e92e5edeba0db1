"""What the mock remembers."""

from .blobs import Blobs
from .records import Record, Store

__all__ = ["Blobs", "Record", "Store"]
