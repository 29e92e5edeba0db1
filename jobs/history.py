"""What the ledger tells of its pipelines: what each ran, how it ended, what it has cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import cost
from .attempts import AGAIN, BEGUN, FAILED, GONE, OVER_BUDGET, STOPPED, Waiting, attempts
from .judging import spent_on
from .ledger import Event, Ledger, PipelineRecord
from .record import Entry, Run

# The events that tell whoever watches how a pipeline goes; the others are for the ledger.
TOLD = (BEGUN, FAILED, AGAIN, STOPPED, GONE, OVER_BUDGET)

_LONGEST = 160  # characters of an event's value
# Of an event's details what tells a reader nothing, or is in its sentence already.
_PLAIN = ("fingerprint", "generation", "key", "lines", "advice", "submitted")


@dataclass(frozen=True)
class Summary:
    """One pipeline. *anew* are the steps that it submitted itself; *waiting* are the tries to come
    by step; *attempts* count each step's submissions. *spent* is what all these cost, *standing*
    that and what it took over, in US dollars at list prices."""

    pipeline: PipelineRecord
    run: Run
    anew: tuple[str, ...]
    attempts: Mapping[str, int]
    waiting: Mapping[str, Waiting]
    spent: float
    standing: float
    duration: timedelta

    @property
    def outcome(self) -> str:
        """The state for a reader: what did not run in OCI says so."""
        mine = [entry for step, entry in self.run.entries.items() if step in self.anew]
        if mine and all(entry.simulated for entry in mine):
            return f"{self.pipeline.state} (simulated)"
        if any(entry.local for entry in mine):
            return f"{self.pipeline.state} (on this machine)"
        return self.pipeline.state

    def as_data(self) -> dict[str, Any]:
        """For JSON; times as ISO 8601, the duration in seconds."""
        pipeline = self.pipeline
        return {
            "number": pipeline.number,
            "state": pipeline.state,
            "began": pipeline.began.isoformat(),
            "ended": pipeline.ended.isoformat() if pipeline.ended else None,
            "anew": list(self.anew),
            "attempts": dict(self.attempts),
            "waiting": {
                step: {"until": each.until.isoformat(), "reason": each.reason}
                for step, each in self.waiting.items()
            },
            "spent_usd": round(self.spent, 2),
            "seconds": int(self.duration.total_seconds()),
        }


def summaries(ledger: Ledger, now: datetime) -> list[Summary]:
    """Of all pipelines, the newest first."""
    return [summary(ledger, each, now) for each in ledger.pipelines()]


def summary(ledger: Ledger, pipeline: PipelineRecord, now: datetime) -> Summary:
    """Of one pipeline."""
    run = ledger.read(pipeline.number)
    by_step: dict[str, list[Event]] = {}
    for event in ledger.events(pipeline.number):
        by_step.setdefault(event.step, []).append(event)
    anew = tuple(entry.step for entry in run.entries.values() if _is_of(pipeline, entry, by_step))
    submitted = list(spent_on(ledger, pipeline.number))
    attempted = {step: attempts(events) for step, events in by_step.items() if step}
    waiting = {
        step: found[-1].waiting
        for step, found in attempted.items()
        if found and found[-1].waiting is not None and pipeline.state == "RUNNING"
    }
    return Summary(
        pipeline=pipeline,
        run=run,
        anew=anew,
        attempts={step: len(found) for step, found in attempted.items() if found},
        waiting={step: each for step, each in waiting.items() if each is not None},
        spent=cost.total((entry for entry in submitted if entry.step in anew), now),
        standing=cost.total(submitted, now),
        duration=_duration(pipeline, run, now, waits=bool(waiting)),
    )


def words(event: Event) -> str:
    """An event as a sentence."""
    details = event.details
    if event.name == BEGUN:
        return f"attempt {details.get('attempt', '')} with {details.get('file', '')}".rstrip()
    if event.name == FAILED:
        return f"failed ({details.get('cause', 'unknown')}): {_short(details.get('reason', ''))}"
    if event.name == OVER_BUDGET:
        return f"over budget: {_short(details.get('reason', ''))}"
    if event.name == AGAIN:
        return _short(details.get("reason", "again"))
    if event.name == STOPPED:
        return f"not tried again: {_short(details.get('reason', ''))}"
    told = [f"{name} {_short(value)}" for name, value in details.items() if name not in _PLAIN]
    return "  ".join([event.name, *told])


def details(event: Event) -> dict[str, Any]:
    """What an event holds, for JSON; of a definition its file's name is enough."""
    return {name: value for name, value in event.details.items() if name != "text"}


def timeline(events: Iterable[Event]) -> list[tuple[datetime, str, str]]:
    """When, which step, what happened."""
    return [(event.at, event.step, words(event)) for event in events]


def _is_of(pipeline: PipelineRecord, entry: Entry, by_step: Mapping[str, list[Event]]) -> bool:
    """Whether the pipeline submitted it; one begins with what stood before."""
    if any(event.name == BEGUN for event in by_step.get(entry.step, ())):
        return True
    return entry.submitted is not None and entry.submitted >= pipeline.began


def _duration(pipeline: PipelineRecord, run: Run, now: datetime, *, waits: bool) -> timedelta:
    """Of one that nobody ended, to the end of its last step."""
    if pipeline.ended is not None:
        return pipeline.ended - pipeline.began
    ends = [entry.finished for entry in run.entries.values()]
    if (
        not waits
        and run.entries
        and all(ends)
        and all(entry.ended for entry in run.entries.values())
    ):
        return max(max(each for each in ends if each) - pipeline.began, timedelta())
    return now - pipeline.began


def _short(value: Any) -> str:
    flat = " ".join(str(value).split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
