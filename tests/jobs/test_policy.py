"""What is done about a failed step: tried again, waited for, or stopped; and never for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline import Step
from jobs.policy import (
    LONGEST_WAIT,
    SERVICE_MINUTES,
    Again,
    Attempt,
    Cause,
    Failure,
    Move,
    Stop,
    next_move,
)
from tests.jobs.samples import START

FILES = ("finetune.yaml", "finetune.fallback-1.yaml", "finetune.fallback-2.yaml")
STEP = Step("finetune", "job", FILES, retries=2, capacity_minutes=120, checkpoints="oci://b@n/c/")
CAUSES = st.sampled_from(list(Cause))


class Story:
    """A step that fails, again and again, with a clock of its own."""

    def __init__(self, step: Step = STEP, seed: str = "") -> None:
        self.step, self.seed, self.now = step, seed, START
        self.definition = 0
        self.attempts: list[Attempt] = []
        self.moves: list[Move] = []

    def fails(self, cause: Cause, *, submitted: bool = True, after: float = 0) -> Move:
        """It fails for *cause*, *after* seconds of running; the move is made."""
        self.now += timedelta(seconds=after)
        failure = Failure(cause, "as the test says", submitted=submitted)
        self.attempts.append(failure.attempt(self.definition, self.now))
        move = next_move(self.step, failure, self.attempts, self.now, self.seed)
        self.moves.append(move)
        if isinstance(move, Again):
            self.now += timedelta(seconds=move.seconds)
            self.definition = move.definition
        return move

    def fails_to_the_end(self, cause: Cause, *, submitted: bool = True) -> list[Again]:
        """Always for the same cause, until it stops: the moves before that."""
        for _ in range(1000):
            if isinstance(self.fails(cause, submitted=submitted), Stop):
                return [move for move in self.moves if isinstance(move, Again)]
        raise AssertionError("it never stops")


@pytest.mark.parametrize(
    "cause", [Cause.USER_CODE, Cause.CANCELED, Cause.REFUSED, Cause.MAXIMUM_RUNTIME]
)
@given(before=st.lists(st.tuples(st.integers(0, 2), CAUSES, st.booleans())))
def test_what_would_fail_again_is_never_tried_again(
    cause: Cause, before: list[tuple[int, Cause, bool]]
) -> None:
    attempts = [Attempt(number, START, earlier, taken) for number, earlier, taken in before]
    failure = Failure(cause, "it ended", advice="do this")
    move = next_move(STEP, failure, [*attempts, failure.attempt(0, START)], START)
    assert isinstance(move, Stop)
    assert move.reason
    assert move.advice == "do this"
    own = next_move(STEP, replace(failure, advice=""), [failure.attempt(0, START)], START)
    assert isinstance(own, Stop)
    assert "python -m jobs" in own.advice


def test_every_definition_is_tried_before_anyone_waits() -> None:
    story = Story()
    moves = [story.fails(Cause.CAPACITY) for _ in range(5)]
    assert [(move.definition, move.seconds) for move in moves if isinstance(move, Again)] == [
        (1, 0.0),
        (2, 0.0),
        (0, pytest.approx(60, rel=0.25)),
        (1, 0.0),
        (2, 0.0),
    ]
    assert moves[0].reason == "no capacity: trying finetune.fallback-1.yaml now"
    assert moves[2].reason.endswith("until 2026-11-22 14:00 UTC")


@given(
    count=st.integers(1, 4),
    minutes=st.integers(0, 600),
    seed=st.text(max_size=24),
)
def test_capacity_is_waited_for_until_its_deadline(count: int, minutes: int, seed: str) -> None:
    files = tuple(f"{number}.yaml" for number in range(count))
    story = Story(replace(STEP, definitions=files, capacity_minutes=minutes), seed)
    moves = story.fails_to_the_end(Cause.CAPACITY)
    assert story.now - START == timedelta(minutes=minutes)
    tried = [attempt.definition for attempt in story.attempts]
    assert len(tried) % count == 0, "it stopped in the middle of a round"
    for start in range(0, len(tried), count):
        assert sorted(tried[start : start + count]) == list(range(count))
    waits = [move.seconds for move in moves if move.seconds]
    assert waits[:-1] == sorted(waits[:-1]), "the last one is cut at the deadline"
    assert all(60 <= wait <= LONGEST_WAIT for wait in waits[:-1])
    last = story.moves[-1]
    assert isinstance(last, Stop)
    assert f"allows {minutes:g} minutes" in last.reason


def _next(usable: list[int], *tried: int) -> Move:
    failure = Failure(Cause.CAPACITY, "none")
    attempts = [failure.attempt(number, START) for number in tried]
    return next_move(STEP, failure, attempts, START, usable=usable)


def test_what_is_not_within_the_budget_is_no_fallback() -> None:
    assert _next([0, 2], 0) == Again(0.0, 2, "no capacity: trying finetune.fallback-2.yaml now")
    for rounds in ([0, 2], [0, 2, 0, 2], [0, 1, 2]):
        move = _next([0, 2], *rounds)
        assert isinstance(move, Again)
        assert (move.definition, move.seconds >= 60) == (0, True), rounds
    only = _next([1], 0, 1)
    assert isinstance(only, Again)
    assert only.definition == 1
    assert _next([], 0) == Again(
        0.0, 0, "no capacity, and nothing else is within the spending limit"
    )


def test_waits_are_the_same_for_a_seed_and_differ_between_seeds() -> None:
    waits = {
        seed: tuple(move.seconds for move in Story(STEP, seed).fails_to_the_end(Cause.CAPACITY))
        for seed in ("one", "other")
    }
    assert waits["one"] != waits["other"]
    assert waits["one"] == tuple(
        move.seconds for move in Story(STEP, "one").fails_to_the_end(Cause.CAPACITY)
    )


def test_what_has_run_in_between_begins_a_new_wait() -> None:
    """Two hours of waiting, five of running, a lost node: capacity is waited for anew, in the
    shape that the run had."""
    story = Story()
    story.fails(Cause.CAPACITY)
    assert story.definition == 1
    story.fails(Cause.INFRASTRUCTURE, after=7 * 3600)
    assert story.definition == 1, "the retry takes the definition that had capacity"
    assert [story.fails(Cause.CAPACITY) for _ in range(2)] == [
        Again(0.0, 0, "no capacity: trying finetune.yaml now"),
        Again(0.0, 2, "no capacity: trying finetune.fallback-2.yaml now"),
    ]
    assert isinstance(story.fails(Cause.CAPACITY), Again)


@given(
    retries=st.integers(0, 5),
    causes=st.lists(st.sampled_from([Cause.INFRASTRUCTURE, Cause.STOPPED]), min_size=6),
)
def test_a_lost_run_is_submitted_again_so_often_and_no_more(
    retries: int, causes: list[Cause]
) -> None:
    story = Story(replace(STEP, retries=retries))
    story.definition = 2
    moves = [story.fails(cause, after=3600) for cause in causes]
    assert [isinstance(move, Again) for move in moves[: retries + 1]] == [True] * retries + [False]
    assert all(move.definition == 2 for move in moves if isinstance(move, Again))


@given(
    st.lists(
        st.tuples(CAUSES, st.booleans(), st.floats(0, 100_000)),
        max_size=60,
    ),
    st.integers(0, 4),
)
def test_whatever_happens_no_more_runs_than_retries_are_lost(
    happens: list[tuple[Cause, bool, float]], retries: int
) -> None:
    """Each loss is paid for: after one more than the retries nothing is submitted again."""
    story, lost = Story(replace(STEP, retries=retries)), 0
    for cause, submitted, after in happens:
        move = story.fails(cause, submitted=submitted, after=after)
        lost += submitted and cause in (Cause.INFRASTRUCTURE, Cause.STOPPED)
        if isinstance(move, Stop):
            break
        assert 0 <= move.definition < len(FILES)
        assert 0 <= move.seconds <= LONGEST_WAIT
    assert lost <= retries + 1


def test_a_retry_says_where_it_goes_on() -> None:
    move = Story().fails(Cause.INFRASTRUCTURE)
    assert move.reason == (
        "submitting again now (retry 1 of 2), from the last checkpoint in oci://b@n/c/"
    )
    move = Story(replace(STEP, checkpoints="")).fails(Cause.INFRASTRUCTURE)
    assert "from its start: it keeps no checkpoints" in move.reason


def test_the_first_retry_is_at_once_and_the_next_is_not() -> None:
    story = Story(replace(STEP, retries=4))
    waits = [story.fails(Cause.INFRASTRUCTURE) for _ in range(4)]
    seconds = [move.seconds for move in waits if isinstance(move, Again)]
    assert seconds[0] == 0
    assert seconds[1:] == sorted(seconds[1:])
    assert seconds[1] >= 60


def test_a_service_that_takes_nothing_is_asked_for_a_while_and_counts_as_no_retry() -> None:
    story = Story(replace(STEP, retries=0))
    moves = story.fails_to_the_end(Cause.INFRASTRUCTURE, submitted=False)
    assert story.now - START == timedelta(minutes=SERVICE_MINUTES)
    assert len(moves) > 3
    last = story.moves[-1]
    assert isinstance(last, Stop)
    assert last.reason == "OCI has taken no submission for 15 minutes"


def test_what_was_not_submitted_uses_up_no_retry() -> None:
    story = Story()
    for _ in range(3):
        story.fails(Cause.INFRASTRUCTURE, submitted=False)
    moves = [story.fails(Cause.INFRASTRUCTURE) for _ in range(3)]
    assert [isinstance(move, Again) for move in moves] == [True, True, False]


def test_a_service_that_fails_now_and_then_does_not_end_the_wait_for_capacity() -> None:
    story = Story(replace(STEP, definitions=FILES[:1], capacity_minutes=30))
    story.fails(Cause.CAPACITY)
    story.fails(Cause.INFRASTRUCTURE, submitted=False)
    assert isinstance(story.fails(Cause.CAPACITY, after=20 * 60), Again)
    assert isinstance(story.fails(Cause.CAPACITY, after=9 * 60), Stop)
