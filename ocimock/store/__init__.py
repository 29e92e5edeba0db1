"""What the mock remembers."""

from .records import Record, Store

__all__ = ["Record", "Store"]
