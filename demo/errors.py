"""What can go wrong in the demo."""

from __future__ import annotations

from pathlib import Path


class DemoError(Exception):
    """A step failed; the message says which, and where its output is."""


class StepFailedError(DemoError):
    """A command ended with an exit code other than 0."""

    def __init__(self, title: str, code: int, log: Path, tail: str) -> None:
        super().__init__(
            f"{title} failed (exit code {code}). Its last lines:\n{tail}\nAll of them: {log}"
        )
