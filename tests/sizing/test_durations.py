"""How long a training takes: the tutorial's cases, and each rule by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sizing.durations import Data, Duration, known_data, training_time
from sizing.flops import flops_of_a_token, work
from sizing.models import Model, find
from sizing.shapes import Shape, listed
from sizing.training import Training

SAMSUM = known_data()["knkarthick/samsum"]
A10_2 = listed()["VM.GPU.A10.2"]
# The tutorial's flags. llama-recipes adds LoRA to q_proj and v_proj, and computes activations anew.
TUTORIAL_13B = Training(recipe="llama-recipes", lora_targets=("q_proj", "v_proj"))
TUTORIAL_7B = Training(method="full", recipe="llama-recipes", batch_size=1)
SFT = Training()


def model(name: str) -> Model:
    found = find(name)
    assert found is not None
    return found


LLAMA_13B = model("meta-llama/Llama-2-13b-hf")
LLAMA_7B = model("meta-llama/Llama-2-7b-hf")


def hours(duration: Duration, part: str) -> float:
    return duration.part(part).hours.expected


def test_the_tutorials_13b_case_takes_what_it_took() -> None:
    found = training_time(LLAMA_13B, TUTORIAL_13B, A10_2, 6, SAMSUM)
    assert found.hours.expected == pytest.approx(2.5, rel=0.25)
    assert found.hours.low < 2.5 < found.hours.high
    dollars = found.hours.times(6 * (A10_2.price_per_hour or 0))
    assert dollars.expected == pytest.approx(60, rel=0.25)
    # 1,554 packed rows on 12 GPUs, four at once, the last smaller batch left out, three times.
    assert found.steps == 3 * 32
    assert found.tokens == 96 * 12 * 4 * 2048


def test_the_tutorials_13b_case_waits_for_its_network() -> None:
    found = training_time(LLAMA_13B, TUTORIAL_13B, A10_2, 6, SAMSUM)
    assert "plain Ethernet, 5 of 48 Gbit/s" in found.part("training").why
    assert "40% of 125 TFLOPS" in found.part("training").why


def test_the_tutorials_7b_case_takes_a_working_day_by_its_batches_of_one() -> None:
    found = training_time(LLAMA_7B, TUTORIAL_7B, A10_2, 3, SAMSUM)
    assert found.steps == 3 * 259
    assert 3 < found.hours.low < 8 < found.hours.expected < found.hours.high < 14
    fuller = training_time(LLAMA_7B, replace(TUTORIAL_7B, batch_size=4), A10_2, 3, SAMSUM)
    assert fuller.hours.expected < 0.5 * found.hours.expected


def test_the_whole_is_its_parts() -> None:
    found = training_time(LLAMA_13B, SFT, A10_2, 6, SAMSUM)
    assert [part.name for part in found.parts] == [
        "start",
        "base model",
        "training",
        "evaluation",
        "saving",
    ]
    for end in ("low", "expected", "high"):
        parts = sum(getattr(part.hours, end) for part in found.parts)
        assert getattr(found.hours, end) == pytest.approx(parts)
    assert all(part.why for part in found.parts)
    assert all(part.hours.low <= part.hours.expected <= part.hours.high for part in found.parts)


# Of a model whose numbers can be told by heart: one layer, no attention to speak of.
TINY = Model(
    "tiny",
    "llama",
    hidden_size=1000,
    layers=1,
    heads=10,
    kv_heads=10,
    head_dim=100,
    intermediate_size=3000,
    vocab_size=1000,
    max_positions=4096,
)
INSIDE = TINY.layer_parameters
OUTPUT = 1000 * 1000
ATTENTION = 4 * 1000 * 2048


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        (Training(method="full", checkpointing=False), 6 * (INSIDE + OUTPUT) + 3 * ATTENTION),
        (Training(method="full"), 8 * INSIDE + 6 * OUTPUT + 4 * ATTENTION),
        (
            Training(checkpointing=False),
            4 * (INSIDE + OUTPUT) + 3 * ATTENTION + 6 * TINY.lora_parameters(8, SFT.lora_targets),
        ),
        (
            Training(),
            6 * INSIDE + 4 * OUTPUT + 4 * ATTENTION + 6 * TINY.lora_parameters(8, SFT.lora_targets),
        ),
    ],
)
def test_operations_of_a_token(training: Training, expected: float) -> None:
    assert flops_of_a_token(TINY, training) == pytest.approx(expected)


TEN = Data("ten", 1000, 100)  # 100,000 tokens, 49 rows of 2,048


@pytest.mark.parametrize(
    ("training", "gpus", "steps", "tokens_of_a_row"),
    [
        (SFT, 1, 3 * 13, 2048),  # ⌈49 / 4⌉
        (SFT, 4, 3 * 4, 2048),
        (replace(SFT, accumulation=2), 4, 3 * 2, 2048),
        (replace(SFT, packing=False), 4, 3 * 63, 100),  # nothing is padded
        (replace(SFT, packing=False, max_length=64), 4, 3 * 63, 64),
        (replace(SFT, epochs=None, max_steps=7), 4, 7, 2048),
        (replace(SFT, epochs=3, max_steps=7), 4, 7, 2048),
        (replace(TUTORIAL_13B), 1, 3 * 12, 2048),  # ⌊49 / 4⌋
        (replace(TUTORIAL_13B, packing=False), 4, 3 * 62, 150),  # padded to a batch's longest
        (replace(TUTORIAL_13B, packing=False, max_length=120), 4, 3 * 62, 120),
        (replace(TUTORIAL_13B), 64, 3, 2048),  # never less than a step
    ],
)
def test_steps_and_rows(training: Training, gpus: int, steps: int, tokens_of_a_row: float) -> None:
    found = work(training, TEN, gpus)
    assert (found.steps, found.row_tokens) == (steps, tokens_of_a_row)
    assert found.passes == steps * training.accumulation


def test_only_the_recipe_of_llama_evaluates_each_epoch() -> None:
    assert work(SFT, SAMSUM, 4).evaluations == 6
    assert work(TUTORIAL_13B, SAMSUM, 4).evaluations == 3 * 22


def test_twice_the_gpus_of_a_node_need_half_the_time_and_no_network() -> None:
    one = training_time(LLAMA_7B, SFT, listed()["BM.GPU.H100.8"], 1, SAMSUM)
    half = replace(listed()["BM.GPU.H100.8"], gpus=4)
    other = training_time(LLAMA_7B, SFT, half, 1, SAMSUM)
    assert hours(other, "training") == pytest.approx(2 * hours(one, "training"), rel=0.1)
    assert "within the node, by NVLink" in one.part("training").why


def test_one_gpu_talks_to_nobody() -> None:
    found = training_time(LLAMA_7B, SFT, listed()["VM.GPU.A10.1"], 1, SAMSUM)
    assert "moves" not in found.part("training").why
    by_hand = found.tokens * flops_of_a_token(LLAMA_7B, SFT) / (0.4 * 125e12) / 3600
    assert hours(found, "training") == pytest.approx(by_hand, rel=0.01)


def test_a_cluster_network_is_counted_on_but_for_the_upper_end() -> None:
    rdma = listed()["BM.GPU.A100-v2.8"]
    plain = replace(rdma, rdma=False, network_gbps=rdma.ethernet_gbps)
    fast = training_time(LLAMA_13B, SFT, rdma, 4, SAMSUM).part("training").hours
    slow = training_time(LLAMA_13B, SFT, plain, 4, SAMSUM).part("training").hours
    assert fast.expected < slow.low
    assert fast.high == pytest.approx(slow.expected, rel=0.35)


def test_full_parameters_send_their_gradients_too_and_save_checkpoints() -> None:
    full = replace(SFT, method="full")
    lora = training_time(LLAMA_7B, SFT, A10_2, 4, SAMSUM)
    whole = training_time(LLAMA_7B, full, A10_2, 4, SAMSUM)
    assert hours(whole, "training") > 1.5 * hours(lora, "training")
    assert hours(whole, "saving") > hours(lora, "saving")


def test_a_gpu_without_bf16_is_not_timed() -> None:
    with pytest.raises(ValueError, match=r"VM\.GPU3\.1 has no bf16"):
        training_time(LLAMA_7B, SFT, listed()["VM.GPU3.1"], 1, SAMSUM)


def test_an_unknown_gpu_has_a_wider_range() -> None:
    new = Shape("BM.GPU.NEW.8", 8, "NEW", 100, 312, 2000, "NVLink", 100, ethernet_gbps=100)
    known = replace(new, gpu="A100")
    width = {
        shape.gpu: training_time(LLAMA_7B, SFT, shape, 1, SAMSUM).part("training").hours
        for shape in (new, known)
    }
    assert width["NEW"].high / width["NEW"].low > width["A100"].high / width["A100"].low


def test_samsum_is_known_by_each_of_its_names() -> None:
    assert SAMSUM.rows == 14_732
    assert round(SAMSUM.rows * SAMSUM.tokens / 2048) == pytest.approx(1555, abs=2)
    assert known_data()["samsum"].rows == SAMSUM.rows


@pytest.mark.parametrize("data", known_data().values(), ids=lambda data: data.name)
def test_every_data_set_says_where_its_numbers_are_from(data: Data) -> None:
    assert data.source
    assert data.rows > 0
    assert data.tokens > 0


def test_fp32_is_slower_and_moves_twice_as_much() -> None:
    plain = training_time(LLAMA_7B, SFT, A10_2, 4, SAMSUM)
    wide = training_time(LLAMA_7B, replace(SFT, precision="fp32"), A10_2, 4, SAMSUM)
    assert hours(wide, "training") > 1.9 * hours(plain, "training")
    assert "65% of 31.2 TFLOPS" in wide.part("training").why
    alone = listed()["BM.GPU.A100-v2.8"]
    slow = training_time(LLAMA_7B, replace(SFT, precision="fp32"), alone, 1, SAMSUM)
    fast = training_time(LLAMA_7B, SFT, alone, 1, SAMSUM)
    assert hours(slow, "training") > 8 * hours(fast, "training")


def test_llama_recipes_computes_in_bf16_whatever_it_keeps() -> None:
    kept = training_time(LLAMA_7B, replace(TUTORIAL_7B, precision="fp32"), A10_2, 4, SAMSUM)
    assert kept == training_time(LLAMA_7B, TUTORIAL_7B, A10_2, 4, SAMSUM)


def test_bare_metal_starts_later() -> None:
    metal = training_time(LLAMA_7B, SFT, listed()["BM.GPU.A10.4"], 1, SAMSUM)
    virtual = training_time(LLAMA_7B, SFT, A10_2, 2, SAMSUM)
    assert hours(metal, "start") > hours(virtual, "start")
    assert metal.part("start").why.startswith("bare metal provisioned")
