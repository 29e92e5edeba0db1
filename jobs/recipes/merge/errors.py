"""What is told to the reader of the job's log."""

from __future__ import annotations


class MergeError(Exception):
    """The inputs are not what they must be; the message says which, and what to look for."""
