"""What is told to the reader of the job's log."""

from __future__ import annotations


class StageError(Exception):
    """Staging can't go on; the message says what happened and what to do, and holds no token."""
