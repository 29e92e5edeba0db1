"""How the ranks notice that one of them is gone, without waiting for it."""

from __future__ import annotations

import pytest

from jobs.recipes.sft import parallel
from jobs.recipes.sft.parallel import SILENCE, Watch


class _Store:
    """A store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def set(self, key: str, value: str) -> None:
        self.kept[key] = value.encode()

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def check(self, keys: list[str]) -> bool:
        return all(key in self.kept for key in keys)


class _Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(parallel, "time", clock)
    return clock


def _watch(rank: int, store: _Store) -> Watch:
    watch = Watch(rank, 1)  # alone: no connection, no thread
    watch._size = 3
    watch._store = store
    return watch


def test_a_rank_that_is_silent_for_too_long_is_given_up(clock: _Clock) -> None:
    store = _Store()
    seen: dict[int, tuple[bytes, float]] = {}
    watch = _watch(0, store)
    for count in range(4):
        store.set("alive/1", str(count))
        store.set("alive/2", "stopped")
        assert watch._silent(seen) is None
        clock.sleep(SILENCE / 3)
    store.set("alive/1", "4")
    said = watch._silent(seen)
    assert said is not None
    assert said.startswith("rank 2 failed: no sign of life for 60 s")
    assert _watch(1, store)._failure() == said, "the others do not hear of it"


def test_a_rank_that_never_came_is_given_up_too(clock: _Clock) -> None:
    store = _Store()
    seen: dict[int, tuple[bytes, float]] = {}
    watch = _watch(0, store)
    store.set("alive/1", "1")
    assert watch._silent(seen) is None
    clock.sleep(SILENCE + 1)
    store.set("alive/1", "2")
    assert "rank 2" in str(watch._silent(seen))


def test_the_first_reason_is_the_one_that_counts(clock: _Clock) -> None:
    store = _Store()
    assert _watch(2, store).tell("ValueError: a bad row") is None
    assert _watch(1, store).tell("connection closed by peer") == (
        "rank 2 failed: ValueError: a bad row"
    )


def test_rank_zero_stays_until_the_others_have_read_its_reason(clock: _Clock) -> None:
    _watch(0, _Store()).tell("ValueError: a bad row")
    assert clock.now > parallel.BEAT
