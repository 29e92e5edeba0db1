"""How a run ends, and the errors that are the reader's to mend."""

from __future__ import annotations

FAILED = 1
WRONG_USE = 2
STOPPED = 75  # EX_TEMPFAIL of sysexits.h: come again


class UsageError(Exception):
    """An option, a file or a folder is not as it must be; the message says what to do."""


class SharedUsageError(UsageError):
    """One that all ranks raise alike, so that one of them says it."""


class Stopped(Exception):  # noqa: N818 (no error: someone told us to stop)
    """The run was told to stop, and did so between two steps; ``saved`` is where it can go on from,
    None where it was given no place for checkpoints."""

    def __init__(self, step: int, saved: str | None) -> None:
        super().__init__(step, saved)
        self.step = step
        self.saved = saved
