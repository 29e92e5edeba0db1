"""Working folders on several machines, with one bucket between them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from jobs.bucket_folder import BucketFolder
from jobs.leading import Leadership
from jobs.ledger import Ledger
from jobs.mirror import Mirror
from tests.jobs.samples import OwnedClock
from tests.jobs.workbench import BUCKET

PREFIX = "ledger/demo/"
URI = f"oci://{BUCKET}@ocimock/{PREFIX}"


class Machine:
    """One working folder: its ledger, its mirror in the bucket, and its part in leading.

    Its clock is its own, and wrong by *skew* seconds.
    """

    def __init__(self, home: Path, *, mirrored: bool = True, skew: float = 0) -> None:
        self.clock = OwnedClock()
        self.clock.time += timedelta(seconds=skew)
        self.said: list[str] = []
        self.path = home / "ledger.db"
        self.folder = BucketFolder(URI)
        self.mirror = Mirror(self.path, self.folder, self.clock, self.said.append)
        self.leadership = Leadership(
            home, self.mirror if mirrored else None, self.clock, self.said.append
        )
        self.ledger = Ledger(self.path, self.clock, self.leadership.changed)

    def pass_time(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)
