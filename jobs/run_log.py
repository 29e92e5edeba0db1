"""The log of a job run, of all its nodes together, and the logs of a deployment.

Asked of OCI Logging with the SDK, not with ADS: that takes seconds to import, reads a run's whole
log at every look, and knows no nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import attempting
from .record import Entry

# The most that OCI Logging gives in a page. Source: OCI's API reference, SearchLogs.
PAGE = 1000
# Lines take up to a minute and a half to reach OCI Logging, and not in their order: what was asked
# for is asked for once more until it is this old. ADS's own driver takes as much.
OVERLAP = timedelta(minutes=3)

# The longest time that one search may look through. Source: OCI's API reference, SearchLogs.
_WINDOW = timedelta(days=14)
# How far back the cause of a failure is looked for. NCCL and the driver's rendezvous give up after
# ten minutes, torchrun waits another five for the other nodes.
_LAST = timedelta(minutes=30)
_MOST_WORDS = 10 * PAGE  # 48 ranks write two hundred each
# Of a search's end: its times are cut to milliseconds, and none may be empty.
_LEAST = timedelta(seconds=1)
# How a line names its node: in its subject, or in square brackets before its text.
_NODE = re.compile(r"\[?node (\d+)\b")
_NAMED = re.compile(r"^\[node \d+[^\]]*\] ")


@dataclass(frozen=True)
class LogLine:
    """One line of a log.

    *time* is as OCI Logging writes it, in UTC. *node* is the rank of the node that wrote it, as
    text; '' where the line does not say. *log* is ``predict`` or ``access`` for a deployment's.
    """

    id: str
    time: str
    text: str
    node: str = ""
    log: str = ""

    @property
    def label(self) -> str:
        """What stands before the text for a reader: ``n3``, ``access``, or nothing."""
        return f"n{self.node}" if self.node else self.log

    @property
    def said(self) -> str:
        """The text without the node's name before it, which the label says already."""
        return _NAMED.sub("", self.text) if self.node else self.text


def tail(
    entry: Entry, limit: int | None = None, since: datetime | None = None, node: int | None = None
) -> list[LogLine]:
    """The last *limit* lines of a step's log, oldest first; all of them without a limit.

    Only those written at or after *since*, and by the node of rank *node*, where these are given.
    Lines take up to a minute and a half to reach OCI Logging.

    Raises:
        RefusedError, UnreachableError: the run or its log can't be read.
    """
    found: list[LogLine] = []
    with attempting(f"read the log of '{entry.step}'"):
        for stream in _streams(entry):
            found += _newest(_search(stream, since or stream.since), limit, node)
    found.sort(key=lambda line: line.time)
    return found if limit is None else found[-limit:]


def last_words(entry: Entry) -> list[str]:
    """The end of a run's log in which the cause of its failure stands, the oldest line first.

    The last thousand lines; and of the half hour before them all, as far as that goes: a rank that
    is lost is noticed minutes later, and each of the others writes its frames then.

    Raises:
        RefusedError, UnreachableError: as of :func:`tail`.
    """
    lines = tail(entry, _MOST_WORDS)
    end = moment(lines[-1].time) if lines else None
    older, last = lines[:-PAGE], lines[-PAGE:]
    if end is not None:
        older = [line for line in older if (moment(line.time) or end) >= end - _LAST]
    return [line.text for line in (*older, *last)]


@dataclass
class Reader:
    """Reads a log as it grows: each line once, and no more of what was read than need be.

    Lines of *node* only, and none older than *since*, where these are given.
    """

    node: int | None = None
    since: datetime | None = None
    read: Callable[..., list[LogLine]] = tail
    _seen: dict[str, str] = field(default_factory=dict)
    _began: bool = False

    def new(self, entry: Entry, limit: int | None = PAGE) -> list[LogLine]:
        """The lines that were not there before; the first time the last *limit*."""
        lines = self.read(entry, None if self._began else limit, self.since, self.node)
        fresh = [line for line in lines if line.id not in self._seen]
        self._seen |= {line.id: line.time for line in fresh}
        newest = moment(lines[-1].time) if lines else None
        if newest is not None:
            start = self.since = newest - OVERLAP
            self._began = True
            self._seen = {
                each: time for each, time in self._seen.items() if (moment(time) or start) >= start
            }
        return fresh


def moment(time: str) -> datetime | None:
    """A line's time; None where it is none."""
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Stream:
    """One log, as a search names it; *since* is when its first line can have been written."""

    compartment: str
    group: str
    log: str
    source: str
    since: datetime
    name: str = ""

    @property
    def query(self) -> str:
        # OCI refuses source = '<OCID>', but takes a pattern.
        where = f"source = '*{self.source}'"
        place = f"{self.compartment}/{self.group}/{self.log}"
        return f'SEARCH "{place}" | WHERE {where} | SORT BY datetime DESC'


# By the OCID of what writes: where its lines go never changes.
_known: dict[str, tuple[_Stream, ...]] = {}


def _streams(entry: Entry) -> tuple[_Stream, ...]:
    """The logs of a step; none where it has none, or none yet."""
    source = entry.ids.get("job_run") or entry.ids.get("deployment") or ""
    if source not in _known:
        read = _run_streams if "job_run" in entry.ids else _deployment_streams
        found = tuple(read(source)) if source else ()
        if not found:
            return ()
        _known[source] = found
    return _known[source]


def _run_streams(run_id: str) -> Iterator[_Stream]:
    from oci.data_science import DataScienceClient

    from .auth import client

    run = client(DataScienceClient).get_job_run(run_id).data
    if run.log_details is not None and run.log_details.log_id:
        yield _stream(run.log_details, run_id, run.time_accepted)


def _deployment_streams(deployment_id: str) -> Iterator[_Stream]:
    from oci.data_science import DataScienceClient

    from .auth import client

    deployment = client(DataScienceClient).get_model_deployment(deployment_id).data
    for name in ("access", "predict"):
        details = getattr(deployment.category_log_details, name, None)
        if details is not None:
            yield _stream(details, deployment_id, deployment.time_created, name)


def _stream(details: Any, source: str, since: datetime, name: str = "") -> _Stream:
    """The log may lie in another compartment than what writes it."""
    from oci.logging import LoggingManagementClient

    from .auth import client

    log = client(LoggingManagementClient).get_log(details.log_group_id, details.log_id).data
    return _Stream(log.compartment_id, details.log_group_id, details.log_id, source, since, name)


def _newest(lines: Iterator[LogLine], limit: int | None, node: int | None) -> Iterator[LogLine]:
    left = limit
    for line in lines:
        if left == 0:
            return
        if node is None or line.node == str(node):
            left = None if left is None else left - 1
            yield line


def _search(stream: _Stream, since: datetime) -> Iterator[LogLine]:
    """The lines since then, newest first, a page at a time."""
    from oci.loggingsearch import LogSearchClient, models

    from .auth import client

    searching: Any = client(LogSearchClient)
    for start, end in _windows(since):
        details = models.SearchLogsDetails(
            time_start=start, time_end=end, search_query=stream.query
        )
        more: dict[str, str] = {}
        while True:
            answer = searching.search_logs(details, limit=PAGE, **more)
            yield from (_line(result.data, stream.name) for result in answer.data.results)
            if not (page := answer.headers.get("opc-next-page")):
                break
            more = {"page": page}


def _windows(since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From now back to *since*, in pieces that one search may look through."""
    # This machine's clock may be behind OCI's.
    end = max(datetime.now(UTC), since + _LEAST)
    while end > since:
        start = max(since, end - _WINDOW)
        yield start, end
        end = start


def _line(data: Any, log: str) -> LogLine:
    content = data.get("logContent") or {}
    text = str((content.get("data") or {}).get("message") or "")
    subject = str(content.get("subject") or "")
    named = None if log else _NODE.match(subject) or _NODE.match(text)
    return LogLine(
        str(content.get("id")), str(content.get("time")), text, named[1] if named else "", log
    )
