"""Watching a pipeline that another process runs: steps that come later, attempts, its outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import machines, pipeline_watch
from jobs.errors import RefusedError, StepFailedError
from jobs.json_view import JsonView
from jobs.ledger import Ledger
from jobs.machines import Machines
from jobs.pipeline_watch import PipelineWatch
from jobs.record import Entry
from jobs.run_log import LogLine, Reader
from jobs.watch_all import WatchAll
from tests.jobs.samples import START, OwnedClock, Recorder, entry

BUSY = RefusedError("Could not list the job runs: OCI answered 503.\nmore", status=503)


class Elsewhere:
    """The process that leads: what it does at each of its moments, one a look."""

    def __init__(self, ledger: Ledger, *moments: Callable[[Ledger], object]) -> None:
        self.ledger = ledger
        self.moments = list(moments)

    def leads(self) -> bool:
        if not self.moments:
            return False
        self.moments.pop(0)(self.ledger)
        return True


@pytest.fixture
def clock() -> OwnedClock:
    return OwnedClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: OwnedClock) -> Ledger:
    return Ledger(tmp_path / "ledger.db", clock)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[LogLine]]:
    """Lines by the OCID of their run."""
    lines: dict[str, list[LogLine]] = {}

    def new(reader: Reader, seen: Entry, limit: int = 0) -> list[LogLine]:
        return lines.pop(seen.ids["job_run"], [])

    monkeypatch.setattr(Reader, "new", new)
    monkeypatch.setattr(machines, "look", lambda seen: Machines())
    monkeypatch.setattr(pipeline_watch, "last_words", lambda seen: [])
    return lines


def _seen(states: dict[str, list[str]]) -> Callable[[Sequence[Entry]], list[Entry]]:
    """OCI's answers: the next state of each run that is asked for, by its OCID."""

    def observe(entries: Sequence[Entry]) -> list[Entry]:
        found = []
        for each in entries:
            coming = states[each.ids["job_run"]]
            state = coming.pop(0) if len(coming) > 1 else coming[0]
            found.append(each.changed(state=state, started=START))
        return found

    return observe


def _attempt(number: int) -> Entry:
    ids = {"job": f"ocid1.datasciencejob.{number}", "job_run": f"ocid1.datasciencejobrun.{number}"}
    return entry("finetune", "ACCEPTED", attempt=number).changed(ids=ids)


def _nothing(_: Ledger) -> None:
    pass


def _ends(ledger: Ledger) -> None:
    ledger.put(entry("finetune"))
    ledger.end("SUCCEEDED")


def test_it_follows_on_through_the_steps_that_another_process_submits(
    ledger: Ledger, clock: OwnedClock, log: dict[str, list[LogLine]]
) -> None:
    ledger.begin("f")
    ledger.put(entry("stage", "IN_PROGRESS", started=START))
    elsewhere = Elsewhere(
        ledger,
        _nothing,
        lambda each: each.put(entry("stage")),
        lambda each: each.put(entry("finetune", "ACCEPTED")),
        _nothing,
        _ends,
    )
    log["ocid1.datasciencejobrun.x"] = [LogLine("1", "t", "hello", node="3")]
    states = {
        "ocid1.datasciencejobrun.w": ["IN_PROGRESS", "SUCCEEDED"],
        "ocid1.datasciencejobrun.x": ["IN_PROGRESS", "SUCCEEDED"],
    }
    view = Recorder()
    PipelineWatch(ledger, view, clock, _seen(states), elsewhere.leads).watch()
    assert view.states == [
        ("stage", "IN_PROGRESS"),
        ("stage", "SUCCEEDED"),
        ("finetune", "IN_PROGRESS"),
        ("finetune", "SUCCEEDED"),
    ]
    assert view.lines == ["hello"]


def test_a_failure_that_is_tried_again_is_no_end(ledger: Ledger, clock: OwnedClock) -> None:
    ledger.begin("f")
    ledger.put(_attempt(1))
    reason = "no capacity: trying again in 5 min, until 2026-11-22 14:00 UTC"

    def again(each: Ledger) -> None:
        until = (START + timedelta(minutes=5)).isoformat()
        each.note("again", "finetune", until=until, definition=0, reason=reason)

    def succeeds(each: Ledger) -> None:
        each.put(_attempt(2).changed(state="SUCCEEDED"))
        each.end("SUCCEEDED")

    elsewhere = Elsewhere(ledger, _nothing, again, lambda each: each.put(_attempt(2)), succeeds)
    states = {
        "ocid1.datasciencejobrun.1": ["FAILED"],
        "ocid1.datasciencejobrun.2": ["SUCCEEDED"],
    }
    view = Recorder()
    PipelineWatch(ledger, view, clock, _seen(states), elsewhere.leads).watch()
    assert [state for _, state in view.states] == ["FAILED", "SUCCEEDED"]
    assert f"finetune: {reason}" in view.said


def test_a_watcher_never_writes_over_what_the_leader_submitted(
    ledger: Ledger, clock: OwnedClock
) -> None:
    """Over another's submission it would be forgotten, and paid for again."""
    ledger.put(_attempt(1))

    def observe(entries: Sequence[Entry]) -> list[Entry]:
        ledger.put(_attempt(2).changed(state="SUCCEEDED"))
        return [each.changed(state="SUCCEEDED") for each in entries]

    PipelineWatch(ledger, Recorder(), clock, observe, lambda: False).watch()
    assert ledger.read().need("finetune").ids == _attempt(2).ids


def test_where_none_leads_it_ends_with_what_runs_and_writes_that_down(
    ledger: Ledger, clock: OwnedClock
) -> None:
    ledger.put(_attempt(1))
    states = {"ocid1.datasciencejobrun.1": ["IN_PROGRESS", "SUCCEEDED"]}
    PipelineWatch(ledger, Recorder(), clock, _seen(states), lambda: False).watch()
    assert ledger.read().need("finetune").state == "SUCCEEDED"
    assert clock.slept == [10.0]


@pytest.mark.parametrize("step", ["", "finetune"])
def test_a_bad_end_is_raised_with_the_decisive_lines(
    step: str, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.put(_attempt(1))
    lines = ["Traceback (most recent call last):", "ValueError: no such column"]
    monkeypatch.setattr(pipeline_watch, "last_words", lambda seen: lines)
    states = {"ocid1.datasciencejobrun.1": ["FAILED"]}
    with pytest.raises(StepFailedError, match="ValueError: no such column"):
        PipelineWatch(ledger, Recorder(), clock, _seen(states), lambda: False, step=step).watch()


def test_a_pipeline_that_was_given_up_before_it_submitted_anything(
    ledger: Ledger, clock: OwnedClock
) -> None:
    ledger.begin("f")
    ledger.end("FAILED")
    with pytest.raises(StepFailedError, match="Pipeline 1 ended FAILED"):
        PipelineWatch(ledger, Recorder(), clock, lambda each: [], lambda: False).watch()


def test_a_pipeline_whose_leader_dies_has_not_ended_well(ledger: Ledger, clock: OwnedClock) -> None:
    ledger.begin("f")
    ledger.put(_attempt(1))
    elsewhere = Elsewhere(ledger, _nothing)
    states = {"ocid1.datasciencejobrun.1": ["IN_PROGRESS", "SUCCEEDED"]}
    with pytest.raises(StepFailedError, match="Nobody leads pipeline 1") as caught:
        PipelineWatch(ledger, Recorder(), clock, _seen(states), elsewhere.leads).watch()
    assert "'python -m jobs run' goes on with it" in caught.value.advice
    assert ledger.read().need("finetune").state == "SUCCEEDED"


def test_ten_minutes_of_5xx_are_survived(ledger: Ledger, clock: OwnedClock) -> None:
    ledger.put(_attempt(1))
    bad = START + timedelta(minutes=10)

    def observe(entries: Sequence[Entry]) -> list[Entry]:
        if clock.now() < bad:
            raise BUSY
        return [each.changed(state="SUCCEEDED") for each in entries]

    view = Recorder()
    PipelineWatch(ledger, view, clock, observe, lambda: False).watch()
    assert view.said == [
        "Could not list the job runs: OCI answered 503. Looking again.",
        "OCI answers again, after 0:10:00.",
    ]


def test_all_tenancies_at_once(
    tmp_path: Path, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.overview import Observer

    ledgers = {name: Ledger(tmp_path / f"{name}.db", clock) for name in ("a", "b")}
    for number, each in enumerate(ledgers.values()):
        each.put(_attempt(number))
    states = {
        "ocid1.datasciencejobrun.0": ["IN_PROGRESS", "SUCCEEDED"],
        "ocid1.datasciencejobrun.1": ["FAILED"],
    }
    see = _seen(states)
    monkeypatch.setattr(Observer, "observe", lambda self, entries: see(entries))
    views = {name: Recorder() for name in ledgers}
    with pytest.raises(StepFailedError, match="b: finetune"):
        WatchAll(ledgers, views.__getitem__, clock, lambda name: False).watch()
    assert [state for _, state in views["a"].states] == ["IN_PROGRESS", "SUCCEEDED"]
    assert [state for _, state in views["b"].states] == ["FAILED"]


def test_json_is_one_object_a_line(clock: OwnedClock) -> None:
    lines: list[str] = []
    view = JsonView(lines.append, clock, tenancy="demo")
    view.show(_attempt(1))
    view.show(_attempt(1))
    view.log("finetune", LogLine("1", "2026-11-22T12:00:00Z", "häl\nlo", node="3"))
    metric = '{"metric": "train", "step": 1, "loss": 2.5}'
    view.log("finetune", LogLine("2", "2026-11-22T12:00:00Z", metric))
    view.log("finetune", LogLine("3", "2026-11-22T12:00:00Z", metric.replace("2.5", "NaN")))
    view.end("SUCCEEDED", spent_usd=1.5)
    found = [json.loads(line) for line in lines]
    assert [each["kind"] for each in found] == ["state", "log", "metric", "metric", "end"]
    assert all(each["tenancy"] == "demo" for each in found)
    assert found[0]["attempt"] == 1
    assert (found[1]["node"], found[1]["text"]) == ("3", "häl\nlo")
    assert [each["values"]["loss"] for each in found[2:4]] == [2.5, None]
    assert all("\n" not in line for line in lines)
