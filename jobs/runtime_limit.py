"""The maximum runtime of a job: OCI ends what is over it without mercy, so a training is asked to
stop with a checkpoint a margin before.

The request is an object in the checkpoints' folder, named after the run: ``stop/<OCID>``. The
training looks for its own between its steps; another run's means nothing to it, so a request that
came too late stops nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .auth import storage
from .classify import BY_PERSON, BY_RUNTIME
from .definitions import Definition, bucket_path
from .errors import JobsError, RecordError, attempting
from .record import Entry
from .states import cancel

FOLDER = "stop"
"""Below the checkpoints' folder. The training has the same name for it."""

# How long before the maximum a training is asked: it looks every 15 s, ends its step, and saves,
# which takes seconds for LoRA and minutes for a large model in full.
_SHARE, _LEAST, _MOST = 0.1, 3.0, 20.0  # of the maximum; minutes
# After this OCI's own timer is not coming. OCI signs nobody in whose clock is five minutes off.
_GRACE = timedelta(minutes=6)
_AGAIN = timedelta(minutes=1)  # between two tries to write the request


def maximum_minutes(definition: Definition) -> float | None:
    """How long a run of a job may take, in minutes; None where nothing says so."""
    minutes = definition.runtime.get("maximumRuntimeInMinutes")
    return float(minutes) if minutes else None


def reached_maximum(entry: Entry, definition: Definition) -> bool:
    """Whether a run ended no sooner than at its maximum, whatever OCI's words for its end."""
    minutes = maximum_minutes(definition)
    if minutes is None or entry.started is None or entry.finished is None:
        return False
    return entry.finished - entry.started >= timedelta(minutes=minutes)


def margin(minutes: float) -> timedelta:
    """How long before a maximum of *minutes* a training is asked to stop; at most half of it."""
    return timedelta(minutes=min(minutes / 2, max(_LEAST, min(_MOST, minutes * _SHARE))))


def checkpoints(definition: Definition) -> str:
    """The ``oci://`` folder in which a run can be asked to stop; '' where it keeps none."""
    folder = definition.argument("--checkpoints") or ""
    return folder if folder.startswith("oci://") else ""


def ask_to_stop(entry: Entry, definition: Definition, by: str = BY_PERSON) -> str:
    """Ask a training to save a checkpoint and end; returns the request's URI. Asking again is fine.

    It ends within a minute or two, as FAILED with exit code 75 of its processes; nothing is lost.
    *by* is what it will say in its log.

    Raises:
        RecordError: the step keeps no checkpoints, or is no job run.
    """
    folder = checkpoints(definition)
    if not folder or "job_run" not in entry.ids:
        raise RecordError(
            f"'{entry.step}' keeps no checkpoints, so it cannot stop with one.",
            f"End it without: 'python -m jobs cancel {entry.step}'.",
        )
    namespace, bucket, prefix = bucket_path(folder)
    name = f"{prefix.rstrip('/')}/{FOLDER}/{entry.ids['job_run']}".lstrip("/")
    with attempting(f"ask '{entry.step}' to stop"):
        storage().put_object(namespace, bucket, name, json.dumps({"by": by}).encode())
    return f"oci://{bucket}@{namespace}/{name}"


@dataclass
class RuntimeLimit:
    """Watches one run's maximum runtime; :meth:`look` is called with each look at it.

    Nothing of it must survive this process: a new one asks again, which changes nothing.
    """

    definition: Definition
    say: Callable[[str], None]
    _asked: bool = False
    _next_try: datetime | None = None

    def look(self, entry: Entry, now: datetime) -> Entry:
        """The entry; asked to stop when its time is nearly over, canceled when it is well over."""
        minutes = maximum_minutes(self.definition)
        if entry.ended or entry.started is None or minutes is None or "job_run" not in entry.ids:
            return entry
        end = entry.started + timedelta(minutes=minutes)
        if now >= end + _GRACE and entry.state != "CANCELING":
            self.say(f"{entry.step}: over its maximum runtime of {minutes:g} minutes: canceling it")
            return cancel(entry)
        if now >= end - margin(minutes) and not self._asked:
            self._ask(entry, end, now)
        return entry

    def _ask(self, entry: Entry, end: datetime, now: datetime) -> None:
        if self._next_try is not None and now < self._next_try:
            return
        near = f"{entry.step}: its maximum runtime ends at {end:%H:%M:%S} UTC"
        if not checkpoints(self.definition):
            self._asked = True
            self.say(f"{near}; it keeps no checkpoints, so OCI will end it as it is")
            return
        try:
            ask_to_stop(entry, self.definition, BY_RUNTIME)
        except JobsError as error:
            self._next_try = now + _AGAIN
            self.say(f"{near}; it could not be asked to stop: {error.what}")
            return
        self._asked = True
        self.say(f"{near}: asked it to save a checkpoint and stop")
