"""The states of many job runs by few calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
# A fleet of many pages is looked at less often, so that the calls a minute stay flat.
_CALLS_A_MINUTE = 30
# Of an interval: whoever slept for one may wake a little early.
_ALMOST = 0.9


class Poller:
    """The states of any number of job runs of a compartment, by one call an interval for a hundred.

    A get each is 6,000 calls a minute for 1,000 runs and an interval of ten seconds; here they are
    30, and what is said is up to 20 s old. Safe for threads, and to be shared by all that watch the
    same compartment. *region* where it is another one than that signed in to; *interval* is in
    seconds.
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
        self._calls = 0

    def look(self, entries: Iterable[Entry]) -> dict[str, Any]:
        """What OCI says of the entries' job runs now, by OCID; it leaves out those that are gone.

        The values are the SDK's ``JobRunSummary``, or ``JobRun`` of one that is not among the
        newest: they are listed newest first, a hundred to a page, until all are found.

        Raises:
            RefusedError, UnreachableError: as of :func:`jobs.states.observe`.
        """
        wanted = _runs(entries)
        found = self._listed(wanted)
        return {ocid: found[ocid] for ocid in wanted if ocid in found}

    def observe_all(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with what OCI said an interval ago or later, in their order; what it has no
        more is DELETED. All job runs that are watched are looked at together.

        Raises:
            RefusedError, UnreachableError: as of :func:`jobs.states.observe`.
        """
        with self._lock:
            found = self._fresh(_runs(entries))
        return [
            (states.of_job_run(entry, found[ocid]) if ocid in found else states.gone(entry))
            if (ocid := entry.ids.get("job_run"))
            else states.observed_or_gone(entry)
            for entry in entries
        ]

    def observe(self, entry: Entry) -> Entry:
        """As :meth:`observe_all`, of one; what OCI has no more is refused with status 404."""
        if "job_run" not in entry.ids:
            return states.observe(entry)
        with self._lock:
            run = self._fresh(_runs([entry])).get(entry.ids["job_run"])
        return states.of_job_run(entry, run or states.job_run(entry, self._region))

    def _fresh(self, asked: Mapping[str, Entry]) -> Mapping[str, Any]:
        """What is known of all runs; it is asked for anew where it is too old, or lacks one."""
        self._watched |= asked
        if self._due() or asked.keys() - self._seen.keys():
            self._seen = self._listed(self._watched)
            self._looked = self._clock.now()
        for ocid in list(self._watched):
            run = self._seen.get(ocid)
            if run is None or run.lifecycle_state in SUCCEEDED | FAILED:
                del self._watched[ocid]
        return self._seen

    def _due(self) -> bool:
        if self._looked is None:
            return True
        pause = max(self._interval, (self._calls - 1) * 60 / _CALLS_A_MINUTE)
        return (self._clock.now() - self._looked).total_seconds() >= _ALMOST * pause

    def _listed(self, wanted: Mapping[str, Entry]) -> dict[str, Any]:
        """All that was listed until the wanted ones were found, and the old ones of them."""
        found: dict[str, Any] = {}
        missing, page, self._calls = set(wanted), None, 0
        while missing:
            answer = self._page(page)
            found |= {run.id: run for run in answer.data}
            missing -= found.keys()
            page = answer.headers.get("opc-next-page")
            if not page or len(missing) <= _FEW:
                break
        for ocid in missing:
            if run := self._one(wanted[ocid]):
                found[ocid] = run
        return found

    def _page(self, page: str | None) -> Any:
        self._calls += 1
        with attempting("list the job runs"):
            return states.science(self._region).list_job_runs(
                self._compartment_id,
                limit=_PAGE,
                sort_by="timeCreated",
                sort_order="DESC",
                **({"page": page} if page else {}),
            )

    def _one(self, entry: Entry) -> Any:
        self._calls += 1
        try:
            return states.job_run(entry, self._region)
        except RefusedError as error:
            if error.status != 404:
                raise
            return None


def _runs(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The entries of job runs, by the runs' OCIDs."""
    return {entry.ids["job_run"]: entry for entry in entries if "job_run" in entry.ids}
