"""Who leads a tenancy's pipeline: one process, of all on this machine and of all machines.

On one machine an operating system's lock on a file says it: it ends with the process that holds
it, however that ends. Between machines a lease in the bucket does (see ``lease``). Only who leads
submits, and writes to the ledger's mirror.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from .clock import Clock
from .errors import JobsError, LeadError, LostLeadError, RefusedError, UnreachableError
from .lead_lock import LeadLock, own_leader
from .lease import RENEWAL_SECONDS, Leader, Lease
from .mirror import Mirror


class Leadership:
    """The lead of the tenancy whose files are in *folder*; without a *mirror*, on this machine
    only. A context manager that gives it back.

    *say* tells the reader when the bucket can't be asked.
    """

    def __init__(
        self,
        folder: Path,
        mirror: Mirror | None,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self.mirror = mirror
        self._clock = clock
        self._say = say
        self._lock = LeadLock(folder)
        self._lease: Lease | None = None
        self._asked = clock.now()
        self._complained = False

    def __enter__(self) -> Leadership:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    @property
    def held(self) -> bool:
        return self._lock.held

    @property
    def mirrored(self) -> bool:
        """Whether this process leads of all machines, by a lease in the bucket."""
        return self._lease is not None

    def acquire(self) -> bool:
        """Take the lead, with what other machines wrote down; False where another process has it.

        Raises:
            RefusedError, UnreachableError: the bucket can't be read, and this machine has no
                ledger of its own: what was paid for before is not known here.
        """
        if self.held:
            return True
        own = own_leader(self._clock.now())
        if not self._lock.take(own):
            return False
        try:
            if self._take_lease(own):
                return True
        except BaseException:
            self._lease = None
            self._lock.release()
            raise
        self._lock.release()
        return False

    def require(self) -> None:
        """Take the lead. Raises :class:`LeadError` where another process has it."""
        if not self.acquire():
            who = self.leader() or "another process"
            raise LeadError(
                f"This tenancy's pipeline is led by {who}.",
                "Follow it with 'python -m jobs run'; what else is to be done has to wait for its "
                "end: two at once would pay twice.",
            )

    def leader(self) -> Leader | None:
        """Who leads now, if another process does."""
        if self.held:
            return None
        if (found := self._lock.holder()) is not None:
            return found
        return self._lease_holder()

    def pull(self) -> None:
        """Take over what another machine has written, where one leads.

        Raises:
            RefusedError, UnreachableError: the bucket can't be read.
        """
        if self.mirror is not None and not self.held and self._lock.holder() is None:
            self.mirror.restore()

    def changed(self) -> None:
        """The ledger has changed. For its ``on_commit``.

        Raises:
            LostLeadError: another machine has taken over.
        """
        if self.mirror is not None and self._lease is not None:
            self.mirror.changed()

    def heartbeat(self) -> None:
        """To be called at every look: renews the lease and writes the mirror when it is time.

        Raises:
            LostLeadError: another machine has taken over.
        """
        if self.mirror is None or not self.held:
            return
        if not timedelta() <= self._clock.now() - self._asked < timedelta(seconds=RENEWAL_SECONDS):
            try:
                self._renew()
            except (RefusedError, UnreachableError) as error:
                self._complain(error)
        if self._lease is not None:
            self.mirror.catch_up()

    def confirm(self) -> None:
        """To be called before something is submitted: asks the bucket whether this process leads
        still, and writes down there what is about to happen.

        Raises:
            LostLeadError: another machine has taken over.
            UnreachableError: it can't be known now. Where the bucket never answered this process,
                that keeps nobody from submitting.
        """
        if self.mirror is None or not self.held:
            return
        if self._lease is None:
            self.heartbeat()
            return
        try:
            self._renew()
        except RefusedError as error:
            raise UnreachableError(
                f"Whether this process leads still cannot be known.\n{error.what}",
                "Nothing was submitted. 'python -m jobs run' goes on.",
            ) from None
        self.mirror.write()

    def release(self) -> None:
        """Give the lead back, with the mirror up to date as far as the bucket answers."""
        if not self.held:
            return
        lease, self._lease = self._lease, None
        try:
            if lease is not None and self.mirror is not None:
                self.mirror.write()
                lease.release()
        except JobsError as error:  # not the outcome of what was led
            self._say(error.what.splitlines()[0])
        finally:
            self._lock.release()

    def _take_lease(self, own: Leader) -> bool:
        """The lease, and the other machines' ledger. True without them where that must do."""
        lease = self._new_lease()
        if lease is None or self.mirror is None:
            return True
        self._asked = self._clock.now()
        try:
            if not lease.take(own):
                return False
        except (RefusedError, UnreachableError) as error:
            if not self.mirror.path.is_file():
                raise
            self._complain(error)
            return True
        try:
            self.mirror.restore()
        except BaseException:
            with contextlib.suppress(RefusedError, UnreachableError):
                lease.release()
            raise
        self._lease = lease
        self.mirror.write()
        with contextlib.suppress(RefusedError, UnreachableError):
            self.mirror.folder.tidy()
        return True

    def _renew(self) -> None:
        """The lease, or the first one where the bucket did not answer before."""
        if self._lease is None:
            if not self._take_lease(own_leader(self._clock.now())):
                raise LostLeadError(
                    f"{self._lease_holder() or 'Another machine'} leads this pipeline meanwhile.",
                    "Nothing more was submitted here. 'python -m jobs run' follows it.",
                )
            return
        self._lease.renew()
        self._asked = self._clock.now()

    def _complain(self, error: JobsError) -> None:
        if not self._complained:
            self._complained = True
            self._say(
                f"{error.what.splitlines()[0]} Until it answers, only the processes of this "
                "machine know that this one leads."
            )

    def _lease_holder(self) -> Leader | None:
        lease = self._new_lease()
        with contextlib.suppress(RefusedError, UnreachableError):
            return lease.holder() if lease else None
        return None

    def _new_lease(self) -> Lease | None:
        return Lease(self.mirror.folder, self._lock.machine()) if self.mirror else None
