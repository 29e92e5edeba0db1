"""The states of many job runs by few calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from . import states
from .clock import Clock, SystemClock
from .errors import RefusedError, attempting
from .record import FAILED, SUCCEEDED, Entry

# Job runs in a page, the most that OCI gives. Source: the SDK's DataScienceClient.list_job_runs.
_PAGE = 100
# So many are asked for one by one sooner than by another page.
_FEW = 5


class Poller:
    """The states of any number of job runs of a compartment, by one call an interval for a hundred.

    A get each is 6,000 calls a minute for 1,000 runs and an interval of ten seconds. Safe for
    threads. *region* where it is another one than that
    signed in to; *interval* is in seconds.
    """

    def __init__(
        self,
        compartment_id: str,
        interval: float = 10.0,
        clock: Clock | None = None,
        region: str = "",
    ) -> None:
        self._compartment_id = compartment_id
        self._interval = interval
        self._clock = clock or SystemClock()
        self._region = region
        self._lock = Lock()
        self._watched: dict[str, Entry] = {}
        self._seen: dict[str, Any] = {}
        self._looked: datetime | None = None

    def look(self, entries: Iterable[Entry]) -> dict[str, Any]:
        """What OCI says of the entries' job runs now, by OCID; it leaves out those that are gone.

        The values are the SDK's ``JobRunSummary``, or ``JobRun`` of one that is not among the
        newest: they are listed newest first, a hundred to a page, until all are found.

        Raises:
            RefusedError, UnreachableError: as of :func:`jobs.states.observe`.
        """
        wanted = {entry.ids["job_run"]: entry for entry in entries if "job_run" in entry.ids}
        found: dict[str, Any] = {}
        page = None
        with attempting("list the job runs"):
            while len(wanted) > len(found):
                answer = self._page(page)
                found |= {run.id: run for run in answer.data if run.id in wanted}
                page = answer.headers.get("opc-next-page")
                if not page or len(wanted) - len(found) <= _FEW:
                    break
        for ocid in wanted.keys() - found.keys():
            if run := self._one(wanted[ocid]):
                found[ocid] = run
        return found

    def observe_all(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with what OCI says now, in their order; what it has no more is DELETED."""
        found = self.look(entries)
        return [
            (states.of_job_run(entry, found[ocid]) if ocid in found else states.gone(entry))
            if (ocid := entry.ids.get("job_run"))
            else states.observed_or_gone(entry)
            for entry in entries
        ]

    def watch(self, entries: Iterable[Entry]) -> None:
        """Look at these too, whenever one is observed."""
        with self._lock:
            self._watched |= {
                each.ids["job_run"]: each for each in entries if "job_run" in each.ids
            }
            self._looked = None

    def observe(self, entry: Entry) -> Entry:
        """The entry with what OCI says now; all job runs that are watched are looked at together.

        Raises:
            RefusedError, UnreachableError: as of :func:`jobs.states.observe`.
        """
        if "job_run" not in entry.ids:
            return states.observe(entry)
        ocid = entry.ids["job_run"]
        with self._lock:
            if ocid not in self._watched or self._due():
                self._watched[ocid] = entry
                self._seen = self.look(self._watched.values())
                self._looked = self._clock.now()
            run = self._seen.get(ocid)
            if run is None or run.lifecycle_state in SUCCEEDED | FAILED:
                self._watched.pop(ocid, None)
        return states.of_job_run(entry, run or states.job_run(entry, self._region))

    def _due(self) -> bool:
        if self._looked is None:
            return True
        return (self._clock.now() - self._looked).total_seconds() >= self._interval

    def _page(self, page: str | None) -> Any:
        return states.science(self._region).list_job_runs(
            self._compartment_id,
            limit=_PAGE,
            sort_by="timeCreated",
            sort_order="DESC",
            **({"page": page} if page else {}),
        )

    def _one(self, entry: Entry) -> Any:
        try:
            return states.job_run(entry, self._region)
        except RefusedError as error:
            if error.status != 404:
                raise
            return None
