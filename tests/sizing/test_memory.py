"""Memory of a training: what must hold of any, and the tutorial's two cases."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizing.memory import Memory, training_memory
from sizing.models import Model, find, known
from sizing.training import LINEAR_LAYERS, Training

GB = 10**9
A10 = 22.0 * GB  # of its 24, about what CUDA can give out

MODELS = st.sampled_from(sorted(known().values(), key=lambda model: model.name))
TRAININGS = st.builds(
    Training,
    method=st.sampled_from(["lora", "full"]),
    recipe=st.sampled_from(["sft", "llama-recipes"]),
    batch_size=st.integers(1, 8),
    max_length=st.sampled_from([64, 512, 1024, 2048, 4096]),
    accumulation=st.integers(1, 3),
    checkpointing=st.booleans(),
    precision=st.sampled_from(["bf16", "fp32"]),
    lora_rank=st.sampled_from([4, 8, 64]),
    lora_targets=st.sampled_from([LINEAR_LAYERS, ("q_proj", "v_proj")]),
)
GPUS = st.integers(1, 512)


def model(name: str) -> Model:
    found = find(name)
    assert found is not None
    return found


def ways(memory: Memory) -> tuple[float, float, float]:
    return memory.total.low, memory.total.expected, memory.total.high


def no_more(less: Memory, more: Memory) -> bool:
    return all(a <= b * (1 + 1e-9) for a, b in zip(ways(less), ways(more), strict=True))


@settings(max_examples=60, deadline=None)
@given(MODELS, TRAININGS, GPUS)
def test_the_terms_are_what_is_expected(one: Model, training: Training, gpus: int) -> None:
    memory = training_memory(one, training, gpus)
    assert sum(term.bytes for term in memory.terms) == pytest.approx(memory.total.expected)
    assert 0 < memory.total.low < memory.total.expected < memory.total.high
    assert memory.allocated < memory.total.expected
    assert all(term.bytes >= 0 and term.why for term in memory.terms)
    names = [term.name for term in memory.terms]
    assert names == [
        *("weights", "gathered layers", "gradients", "optimizer", "activations"),
        *("working set", "loss", "communication", "fragmentation"),
    ]


@settings(max_examples=60, deadline=None)
@given(MODELS, TRAININGS, st.integers(2, 512), st.integers(1, 64))
def test_more_gpus_never_take_more_each(
    one: Model, training: Training, gpus: int, more: int
) -> None:
    """From two on: one alone gathers nothing."""
    few, many = (training_memory(one, training, count) for count in (gpus, gpus + more))
    assert no_more(many, few)


@settings(max_examples=60, deadline=None)
@given(MODELS, TRAININGS, GPUS, st.data())
def test_what_is_more_never_takes_less(
    one: Model, training: Training, gpus: int, data: Any
) -> None:
    """All kept rather than checkpoints, all trained rather than LoRA, a row more, longer rows.

    In llama-recipes LoRA may take more: it keeps what dropout leaves of each input.
    """
    more = data.draw(
        st.sampled_from(
            [
                {"batch_size": training.batch_size + 1},
                {"max_length": 2 * training.max_length},
                {"accumulation": 4},
            ]
        )
    )
    assert no_more(
        training_memory(one, training, gpus),
        training_memory(one, replace(training, **more), gpus),
    )
    kept, recomputed = (
        training_memory(one, replace(training, checkpointing=on), gpus) for on in (False, True)
    )
    # In the end, where gradients are the most of it, checkpointing has the first layer's input too.
    entry = 4 * one.hidden_size * training.tokens_of_a_batch
    assert recomputed.total.expected <= kept.total.expected + 1.15 * entry
    if training.recipe == "sft":
        lora, full = (
            training_memory(one, replace(training, method=method), gpus)
            for method in ("lora", "full")
        )
        assert lora.total.expected <= full.total.expected


def test_long_attention_costs_llama_recipes_the_square_and_sft_the_line() -> None:
    one = model("meta-llama/Llama-2-7b-hf")

    def working(recipe: Any, length: int) -> float:
        training = Training(recipe=recipe, batch_size=1, max_length=length)
        return training_memory(one, training, 8).term("working set").bytes

    for recipe, factor in (("sft", 2), ("llama-recipes", 4)):
        lengths = [working(recipe, length) for length in (8192, 16384, 32768)]
        for short, long in pairwise(lengths):
            assert long / short == pytest.approx(factor, rel=0.15)


def test_the_tutorials_13b_lora_fits_twelve_a10s_by_both_recipes() -> None:
    one = model("meta-llama/Llama-2-13b-hf")
    ours = training_memory(one, Training(), 12)
    assert ours.total.high < A10
    assert ours.term("weights").bytes == pytest.approx(2 * 13_015_864_320 / 12, rel=0.01)
    # 40 inputs of 8,192 tokens of 5,120 numbers of 2 bytes
    assert ours.term("activations").bytes == 40 * 8192 * 5120 * 2
    theirs = Training(recipe="llama-recipes", lora_targets=("q_proj", "v_proj"))
    assert training_memory(one, theirs, 12).total.expected < A10
    assert training_memory(one, theirs, 12).moment == "backward of the attention"


def test_all_of_7b_fits_four_a10s_in_pure_bf16_alone() -> None:
    """The tutorial trained 7b on four; with weights, gradients and states in fp32, as ``sft`` keeps
    them, these alone are 16 bytes a parameter: 27 GB on each of four, 18 GB on each of six."""
    one = model("meta-llama/Llama-2-7b-hf")
    full = Training(method="full", batch_size=1)
    theirs = replace(full, recipe="llama-recipes")
    assert training_memory(one, theirs, 4).total.expected < A10
    assert training_memory(one, full, 4).total.low > A10
    assert training_memory(one, replace(theirs, precision="fp32"), 4).total.low > A10
    assert training_memory(one, full, 6).total.expected < A10
    states = training_memory(one, full, 4)
    assert states.term("weights").bytes == pytest.approx(4 * 6_738_415_616 / 4)
    assert states.term("optimizer").bytes == pytest.approx(8 * 6_738_415_616 / 4)
