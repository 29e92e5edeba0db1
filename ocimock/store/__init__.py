"""What the mock remembers, and the file that it may remember it in."""

from .blobs import Blobs
from .records import Record, Store

__all__ = ["Blobs", "Record", "Store"]
