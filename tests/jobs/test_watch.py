"""Following a step: to its end, through passing trouble, with each log line once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jobs.errors import RefusedError, StepFailedError, UnreachableError
from jobs.machines import Machines, NodeGroup
from jobs.record import Entry
from jobs.run_log import LogLine
from jobs.watch import PATIENCE, Follower, require_success
from tests.jobs.samples import START, OwnedClock, Recorder, entry

BUSY = RefusedError("Could not read: OCI answered 429 TooManyRequests.\nmore", status=429)
GONE = RefusedError("Could not read: OCI answered 404.", status=404)


def _script(*steps: Entry | Exception) -> Callable[[Entry], Entry]:
    coming: Iterator[Entry | Exception] = iter(steps)

    def observe(_: Entry) -> Entry:
        step = next(coming)
        if isinstance(step, Exception):
            raise step
        return step

    return observe


def _follower(kept: list[Entry] | None = None) -> tuple[Follower, Recorder, OwnedClock]:
    view, clock = Recorder(), OwnedClock()
    keep = kept if kept is not None else []
    return Follower(view, clock, 10.0, keep.append), view, clock


ACCEPTED = entry("finetune", "ACCEPTED")
RUNNING = entry("finetune", "IN_PROGRESS", started=START)


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "CANCELED"])
def test_it_ends_when_the_run_does(end: str) -> None:
    kept: list[Entry] = []
    follower, view, clock = _follower(kept)

    last = follower.follow(ACCEPTED, _script(RUNNING, RUNNING, RUNNING.changed(state=end)))

    assert last.state == end
    assert [state for _, state in view.states] == ["ACCEPTED", "IN_PROGRESS", end]
    assert clock.slept == [10.0, 10.0]
    assert [each.state for each in kept] == ["IN_PROGRESS", end]


def test_a_simulated_run_says_so_wherever_its_state_is_shown() -> None:
    follower, view, _ = _follower()
    follower.follow(ACCEPTED, _script(RUNNING.changed(state="SUCCEEDED", simulated=True)))
    assert view.states[-1] == ("finetune", "SUCCEEDED (simulated)")


def test_passing_trouble_is_looked_through_and_said_once() -> None:
    follower, view, clock = _follower()
    trouble = [BUSY, UnreachableError("no answer"), BUSY]

    last = follower.follow(ACCEPTED, _script(*trouble, RUNNING.changed(state="SUCCEEDED")))

    assert last.done
    assert view.said == [
        "Could not read: OCI answered 429 TooManyRequests. Looking again.",
        "OCI answers again, after 0:00:30.",
    ]
    assert len(clock.slept) == 3


def test_trouble_that_stays_is_raised_by_the_clock() -> None:
    """Ten minutes of 5xx pass, a quarter of an hour does not, however often it was asked."""
    follower, _, clock = _follower()
    with pytest.raises(RefusedError):
        follower.follow(ACCEPTED, _script(*[BUSY] * 1000))
    assert sum(clock.slept) == PATIENCE.total_seconds()


def test_patience_starts_anew_after_a_good_look() -> None:
    follower, _, _ = _follower()
    wave = [BUSY] * int(PATIENCE.total_seconds() / 10)
    last = follower.follow(ACCEPTED, _script(*wave, RUNNING, *wave, entry("finetune")))
    assert last.done


def test_what_does_not_pass_is_raised_at_once() -> None:
    follower, _, clock = _follower()
    with pytest.raises(RefusedError):
        follower.follow(ACCEPTED, _script(GONE))
    assert clock.slept == []


def test_the_log_is_read_once_more_when_all_is_over() -> None:
    follower, view, _ = _follower()
    tails = iter([["a"], [], ["b", "c"]])

    def tail(_: Entry) -> list[LogLine]:
        return [LogLine(text, "t", text) for text in next(tails)]

    follower.follow(RUNNING, _script(RUNNING, RUNNING, RUNNING.changed(state="SUCCEEDED")), tail)
    assert view.lines == ["a", "b", "c"]


def test_machines_are_looked_at_once_a_minute() -> None:
    follower, view, clock = _follower()
    told = Machines((NodeGroup("node-group", "ACTIVE"),))
    running = [RUNNING] * 13
    follower.follow(
        RUNNING, _script(*running, RUNNING.changed(state="SUCCEEDED")), look=lambda _: told
    )
    assert sum(clock.slept) == 130
    assert view.looks == [("finetune", told)] * 2


def test_an_unreadable_log_is_said_once_and_stops_nothing() -> None:
    follower, view, _ = _follower()

    def tail(_: Entry) -> list[LogLine]:
        raise RefusedError("Could not read the log: no policy\nmore", status=404)

    last = follower.follow(RUNNING, _script(RUNNING, RUNNING.changed(state="SUCCEEDED")), tail)
    assert last.done
    assert view.said == ["Could not read the log: no policy"]


def test_no_log_is_asked_for_before_the_start() -> None:
    follower, _, _ = _follower()

    def tail(_: Entry) -> list[LogLine]:
        raise AssertionError("asked")

    follower.follow(ACCEPTED, _script(ACCEPTED, ACCEPTED.changed(state="CANCELED")), tail)


def test_failure_says_what_oci_says() -> None:
    failed = entry("merge", "FAILED", details="Job run failed with exit code 1", simulated=True)
    with pytest.raises(StepFailedError) as caught:
        require_success(failed)
    assert "merge ended FAILED (simulated). OCI says: Job run failed with exit code 1" in str(
        caught.value
    )
    assert "python -m jobs logs merge" in caught.value.advice
    assert require_success(entry("merge")).done


def test_a_failed_deployment_has_no_log_of_a_run() -> None:
    with pytest.raises(StepFailedError) as caught:
        require_success(entry("deploy", "FAILED"))
    assert caught.value.advice == "'python -m jobs run' tries again."
