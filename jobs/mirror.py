"""The ledger's mirror in the bucket: one object a pipeline, below ``pipeline.ledger``.

Only who leads writes to it (see ``leading``); everybody reads. It is written after the ledger,
at most once a second, and always before something is submitted: another machine that takes over
knows what this one was about to do. While the bucket can't be reached the work goes on with the
ledger of this machine; what was missed is written when the bucket is back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from .bucket_folder import BucketFolder, Stored
from .clock import Clock
from .errors import JobsError, LostLeadError, StaleWriteError
from .ledger_copy import PipelineCopy, apart, copies, merged, parse, rewrite

PIPELINES = "pipelines/"
_PAUSE = timedelta(seconds=1)
# After a failure: each try takes the SDK some seconds.
_LONG_PAUSE = timedelta(seconds=30)


class Mirror:
    """The mirror of the ledger at *path* in *folder*; *say* tells the reader what happens."""

    def __init__(
        self, path: Path, folder: BucketFolder, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self.path = path
        self.folder = folder
        self._clock = clock
        self._say = say
        self._stored: dict[str, Stored] = {}
        self._behind = False
        self._failing = False
        self._next: datetime | None = None

    def restore(self) -> None:
        """Take over what the mirror has and the ledger lacks; what both have is merged.

        Raises:
            RefusedError, UnreachableError: the bucket can't be read.
            RecordError: what lies there is of another version.
        """
        mirrored = self._read()
        if not mirrored:
            return
        rewrite(self.path, lambda own: self._merged(own, mirrored))

    def changed(self) -> None:
        """The ledger has changed: write it, or soon. For the ledger's ``on_commit``."""
        self._behind = True
        self.catch_up()

    def catch_up(self) -> None:
        """Write what is not written yet, if it is time to."""
        if self._behind and self._is_time():
            self.write(every=False)

    def write(self, *, every: bool = True) -> None:
        """Write now: every pipeline that differs, or only the current one. A bucket that can't be
        reached is said once.

        Raises:
            LostLeadError: another machine has written meanwhile.
        """
        own = copies(self.path)
        try:
            for copy in own if every else own[-1:]:
                self._put(f"{PIPELINES}{copy.name}.json", copy.text())
        except StaleWriteError as error:
            raise LostLeadError(
                f"Another machine has written this pipeline's ledger.\n{error.what}",
                "Nothing more was submitted here. 'python -m jobs run' takes over what it wrote "
                "and goes on, or follows it.",
            ) from None
        except JobsError as error:
            self._failed(error)
            return
        self._next = self._clock.now() + _PAUSE
        self._behind = False
        if self._failing:
            self._failing = False
            self._say("The ledger's mirror is written again.")

    def _is_time(self) -> bool:
        """Also where the clock was set back: that must not keep the mirror waiting."""
        left = self._next - self._clock.now() if self._next else timedelta()
        return not timedelta() < left <= _LONG_PAUSE

    def _put(self, name: str, text: str) -> None:
        before = self._stored.get(name)
        if before is None or before.text != text:
            self._stored[name] = self.folder.write(name, text, before)

    def _failed(self, error: JobsError) -> None:
        self._behind = True
        self._next = self._clock.now() + _LONG_PAUSE
        if not self._failing:
            self._failing = True
            self._say(
                f"{error.what.splitlines()[0]} Work goes on with the ledger of this machine; its "
                "mirror is written when the bucket answers."
            )

    def _read(self) -> dict[str, PipelineCopy]:
        """The mirror's pipelines by their names; only what is new is asked for."""
        etags = self.folder.names(PIPELINES)
        for name, etag in etags.items():
            known = self._stored.get(name)
            if known is not None and known.etag == etag:
                continue
            if (found := self.folder.read(name)) is not None:
                self._stored[name] = found
        self._stored = {name: each for name, each in self._stored.items() if name in etags}
        texts = self._stored.values()
        found_copies = (parse(each.text, self.folder.uri + each.name) for each in texts)
        return {copy.name: copy for copy in found_copies}

    def _merged(
        self, own: list[PipelineCopy], mirrored: dict[str, PipelineCopy]
    ) -> list[PipelineCopy]:
        result = dict(mirrored)
        for copy in own:
            other = result.get(copy.name)
            if other is not None and apart(copy, other):
                self._say(
                    "This machine's ledger and its mirror went on apart since they last met; "
                    "they are merged, and nothing of either is dropped."
                )
            result[copy.name] = copy if other is None else merged(copy, other)
        return list(result.values())
