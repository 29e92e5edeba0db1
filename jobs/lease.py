"""A lease of the lead, kept as an object in the bucket: which machine leads, until it falls silent.

Its age is the time between the object's last write and the answer to whoever asks, both by Object
Storage's clock: no machine's clock counts. Taking, renewing and giving it back say which state
they replace, so of two machines that try at once one is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from .bucket_folder import BucketFolder, Stored
from .errors import LostLeadError, StaleWriteError

NAME = "lease.json"
SECONDS = 300.0
"""How long a silent leader keeps the lead. A call that OCI answers with 5xx blocks the runner for
minutes, and a dead leader on the same machine is known at once."""
RENEWAL_SECONDS = 60.0


@dataclass(frozen=True)
class Leader:
    """The process that leads, and since when (its own clock)."""

    host: str
    pid: int
    user: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.user}'s process {self.pid} on {self.host}, since {self.since:%H:%M:%S} UTC"


@dataclass(frozen=True)
class _Held:
    """What the object says. *machine* is one working folder on one host; *beat* counts renewals;
    *seconds* is 0 once the lease was given back."""

    leader: Leader
    machine: str
    beat: int
    seconds: float

    def text(self) -> str:
        data = asdict(self)
        data["leader"]["since"] = self.leader.since.isoformat()
        return json.dumps(data, indent=1)


class Lease:
    """The lease in *folder*, for *machine*. Every method raises :class:`RefusedError` or
    :class:`UnreachableError` where the bucket does not serve."""

    def __init__(self, folder: BucketFolder, machine: str) -> None:
        self._folder = folder
        self._machine = machine
        self._stored: Stored | None = None
        self._own: _Held | None = None

    def take(self, leader: Leader) -> bool:
        """Take the lease, if nobody else's stands. This machine's own always can be: its process
        locks the machine first, so an earlier holder here is dead."""
        found = self._folder.read(NAME)
        if found is not None and _is_others(found, self._machine):
            return False
        own = _Held(leader, self._machine, 0, SECONDS)
        try:
            self._stored = self._folder.write(NAME, own.text(), found)
        except StaleWriteError:
            return False
        self._own = own
        return True

    def renew(self) -> None:
        """Begin the lease's time anew.

        Raises:
            LostLeadError: another machine has taken it.
        """
        if self._own is None:
            return
        own = replace(self._own, beat=self._own.beat + 1)
        try:
            self._stored = self._folder.write(NAME, own.text(), self._stored)
        except StaleWriteError:
            leader = self.holder()
            by = f" by {leader}" if leader else ""
            raise LostLeadError(
                f"The lead was taken over{by}: this machine was silent for more than "
                f"{SECONDS / 60:g} minutes.",
                "Nothing more was submitted here. 'python -m jobs run' follows the other one.",
            ) from None
        self._own = own

    def release(self) -> None:
        """Give it back, if it is still this machine's."""
        if self._own is None:
            return
        own, self._own = replace(self._own, seconds=0, beat=self._own.beat + 1), None
        try:
            self._folder.write(NAME, own.text(), self._stored)
        except StaleWriteError:
            return

    def holder(self) -> Leader | None:
        """Who holds it on another machine, unless too long ago."""
        found = self._folder.read(NAME)
        if found is None or not _is_others(found, self._machine):
            return None
        held = _held(found)
        return held.leader if held else None


def _is_others(found: Stored, machine: str) -> bool:
    held = _held(found)
    return held is not None and held.machine != machine and found.age < held.seconds


def _held(found: Stored) -> _Held | None:
    """None for what is no lease: it keeps nobody from leading."""
    try:
        data = json.loads(found.text)
        leader = {**data["leader"], "since": datetime.fromisoformat(data["leader"]["since"])}
        return _Held(Leader(**leader), str(data["machine"]), int(data["beat"]),
                     float(data["seconds"]))  # fmt: skip
    except (ValueError, TypeError, KeyError):
        return None
