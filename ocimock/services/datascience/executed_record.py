"""The record of something that really runs, as the thread that sees it through may change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...cloud import Cloud
from ...store import Record


class Forgotten(Exception):  # noqa: N818 - the end of a thread, no error
    """The record is none of the cloud's any more: the mock was reset, or it is deleted."""


class ExecutedRecord:
    """What may be done to one record; each is a transaction on the cloud.

    :ivar is_abandoned: set when the mock is reset: from then on nothing is changed any more.
    """

    def __init__(self, cloud: Cloud, kind: str, identifier: str) -> None:
        self.cloud = cloud
        self.is_abandoned = False
        self._key = (kind, identifier)

    @contextmanager
    def changing(self) -> Iterator[Cloud]:
        """A transaction. :raises Forgotten: there is nothing left to change."""
        with self.cloud.lock:
            if self.is_abandoned:
                raise Forgotten
            with self.cloud.transaction():
                yield self.cloud

    def found(self) -> Record:
        """The record. :raises Forgotten: it is gone."""
        record = self.cloud.store.find(*self._key)
        if record is None or record.deleted:
            raise Forgotten
        return record
