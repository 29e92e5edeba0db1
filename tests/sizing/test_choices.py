"""Every shape and number of nodes: what fits, what it costs, what is refused and why."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from sizing import choices as module
from sizing.choices import REPLICAS, Choice, choice, choices, fewest_replicas
from sizing.durations import Data, known_data
from sizing.fit import fit
from sizing.memory import Memory, Term
from sizing.models import Model, find
from sizing.ranges import Range
from sizing.shapes import GIB, gpu_shapes, listed
from sizing.training import Training

SAMSUM = known_data()["samsum"]
A10_2 = listed()["VM.GPU.A10.2"]
SFT = Training()
FOUND = find("meta-llama/Llama-2-13b-hf")
assert FOUND is not None
LLAMA: Model = FOUND


@pytest.fixture(autouse=True)
def memory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """26 GiB of weights that GPUs share, and 10 GiB that each has, give or take a tenth."""

    def training_memory(model: Model, training: Training, gpus: int) -> Memory:
        expected = (26 / gpus + 10) * GIB
        total = Range(0.9 * expected, expected, 1.1 * expected)
        return Memory((Term("all", expected, "a stub"),), total)

    monkeypatch.setattr(module, "training_memory", training_memory)


def named(found: list[Choice] | tuple[Choice, ...], shape: str, replicas: int) -> Choice:
    return next(one for one in found if one.shape.name == shape and one.replicas == replicas)


def every(data: Data | None = SAMSUM, **limits: float) -> list[Choice]:
    return list(choices(LLAMA, SFT, data, **limits))  # type: ignore[arg-type]


def test_what_no_job_run_takes_is_no_choice_even_when_asked_for() -> None:
    found = choice(LLAMA, SFT, gpu_shapes()["BM.GPU.GB200.4"], 2, SAMSUM)
    assert found.refused == "no job run of Data Science takes BM.GPU.GB200.4"


@pytest.mark.parametrize(
    ("needed", "verdict", "why"),
    [
        (Range(9, 10, 11), "fits", "10.0 GiB (9.0 to 11.0) of the 21.6 that an A10 of 24 GB gives"),
        (Range(15, 19, 22), "tight", "at the upper end it is 0.4 GiB too much"),
        (Range(20, 21, 21.5), "tight", "0.6 GiB left"),
        (Range(20, 22, 25), "does not fit", "0.4 GiB too much"),
        (Range(20, 21.65, 25), "does not fit", "20 MiB too much"),
    ],
)
def test_what_fits(needed: Range, verdict: str, why: str) -> None:
    found = fit(needed.times(GIB), A10_2)
    assert found.verdict == verdict
    assert why in found.why


def test_all_shapes_that_take_jobs_are_looked_at() -> None:
    found = every()
    names = {one.shape.name for one in found}
    assert names == {name for name, shape in gpu_shapes().items() if shape.jobs}
    assert "BM.GPU.GB200.4" not in names
    assert len(found) == len(names) * len(REPLICAS)


def test_the_cheapest_that_fits_is_first() -> None:
    found = every()
    assert found[0].refused == ""
    assert found[0].fit.verdict == "fits"
    fitting = [one for one in found if not one.refused and one.fit.verdict == "fits"]
    costs = [one.dollars.expected for one in fitting if one.dollars]
    assert costs == sorted(costs)
    assert len(costs) == len(fitting)


def test_by_time_the_fastest_is_first() -> None:
    found = choices(LLAMA, SFT, SAMSUM, by="time")
    hours = [
        one.duration.hours.expected
        for one in found
        if one.duration and not one.refused and one.fit.verdict == "fits"
    ]
    assert hours == sorted(hours)
    assert hours[0] < every()[0].duration.hours.expected  # type: ignore[union-attr]


def test_what_is_refused_comes_last_and_what_is_tight_after_what_fits() -> None:
    kinds = [(bool(one.refused), one.fit.verdict) for one in every()]
    order = [(False, "fits"), (False, "tight")]
    allowed = [kind for kind in kinds if kind in order]
    assert kinds[: len(allowed)] == sorted(allowed, key=order.index)
    assert kinds[-1] == (True, "does not fit") or kinds[-1][0]


def test_dollars_are_hours_times_nodes_times_price() -> None:
    found = choice(LLAMA, SFT, A10_2, 6, SAMSUM)
    assert found.duration is not None
    assert found.dollars is not None
    assert found.gpus == 12
    assert found.dollars.expected == pytest.approx(24 * found.duration.hours.expected)
    assert found.dollars.high == pytest.approx(24 * found.duration.hours.high)


def test_what_does_not_fit_says_by_how_much() -> None:
    one = named(every(), "VM.GPU.A10.2", 1)
    assert one.fit.verdict == "does not fit"
    assert one.refused == f"does not fit: {one.fit.why}"
    assert "1.4 GiB too much" in one.refused


def test_the_deadline_is_held_against_the_upper_end() -> None:
    hours = named(every(), "VM.GPU.A10.2", 6).duration
    assert hours is not None
    between = (hours.hours.expected + hours.hours.high) / 2
    assert "over the deadline" in named(every(deadline=between), "VM.GPU.A10.2", 6).refused
    assert named(every(deadline=hours.hours.high), "VM.GPU.A10.2", 6).refused == ""


def test_the_budget_is_held_against_the_upper_end() -> None:
    dollars = named(every(), "VM.GPU.A10.2", 6).dollars
    assert dollars is not None
    between = (dollars.expected + dollars.high) / 2
    assert "over the budget" in named(every(budget=between), "VM.GPU.A10.2", 6).refused
    assert named(every(budget=dollars.high), "VM.GPU.A10.2", 6).refused == ""


def test_without_a_price_a_budget_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    unpriced = replace(A10_2, price_per_hour=None)
    monkeypatch.setattr(module, "gpu_shapes", lambda: {unpriced.name: unpriced})
    (one,) = (one for one in every(budget=1000) if one.replicas == 6)
    assert one.dollars is None
    assert "no list price is known" in one.refused
    (free,) = (one for one in every() if one.replicas == 6)
    assert free.refused == ""


def test_without_data_only_memory_is_known() -> None:
    found = every(None, deadline=0.1, budget=1)
    assert {one.duration for one in found} == {None}
    assert found[0].refused == ""
    assert found[0].shape.name == "VM.GPU.A10.1", "the cheapest hour of those that fit"


def test_old_gpus_are_refused_for_what_they_lack() -> None:
    one = named(every(), "VM.GPU3.4", 4)
    assert one.refused == "a V100 has no bf16, in which the recipes compute"
    assert one.duration is None
    assert fewest_replicas(LLAMA, SFT, one.shape) is None


def test_what_the_environments_have_no_pytorch_for_is_refused() -> None:
    amd = named(every(), "BM.GPU.MI300X.8", 1)
    assert amd.refused == "an MI300X is of ROCm, and the recipes' environments of CUDA"
    old = replace(SFT, recipe="llama-recipes")
    found = list(choices(LLAMA, old, SAMSUM))
    new = "a B200 takes PyTorch 2.7, and llama-recipes is pinned to 2.1"
    assert named(found, "BM.GPU.B200.8", 1).refused == new
    assert named(every(), "BM.GPU.B200.8", 1).refused == ""


def test_more_gpus_than_the_data_gives_updates_for_are_refused() -> None:
    found = every()
    one = named(found, "BM.GPU.H100.8", 6)
    assert one.refused == (
        "a step of 192 rows leaves 8.1 steps of an epoch's 1,554 rows: too few updates to learn by"
    )
    assert named(found, "BM.GPU.H100.8", 4).refused == ""
    assert named(every(Data("small", 10, 20)), "BM.GPU.H100.8", 1).refused == ""


def test_the_fewest_nodes_are_those_that_fit_with_room() -> None:
    # 26 GiB over n GPUs and 10 on each, a tenth more at most, of 21.6: n is 3 or more.
    assert fewest_replicas(LLAMA, SFT, A10_2) == 2
    assert fewest_replicas(LLAMA, SFT, listed()["VM.GPU.A10.1"]) == 3
    assert fewest_replicas(LLAMA, SFT, listed()["BM.GPU.H100.8"]) == 1
    small = replace(A10_2, capacity_gib=10.5)
    assert fewest_replicas(LLAMA, SFT, small) is None


def test_all_of_them_take_no_time() -> None:
    every()
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        every()
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.15
