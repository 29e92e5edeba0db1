"""What vLLM takes: against its own log, against the tutorial's machine, and against its rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sizing import vllm
from sizing.models import Model, find
from sizing.serving import Serving, serving, servings
from sizing.serving_options import ServingOptions, serving_of_arguments
from sizing.shapes import GIB, gpu_shapes


def model(name: str) -> Model:
    found = find(name)
    assert found is not None
    return found


def served(name: str, shape: str, length: int = 4096, *arguments: str) -> Serving:
    options = serving_of_arguments(arguments)
    return serving(model(name), gpu_shapes()[shape], length, options.tensor_parallel, options)


LLAMA_8B = "meta-llama/Llama-3.1-8B"
LLAMA_13B = "meta-llama/Llama-2-13b-hf"
LLAMA_70B = "meta-llama/Llama-2-70b-hf"


def test_an_8b_model_on_one_a10_is_what_vllm_logs() -> None:
    """vLLM's log on an A10G, whose memory is the A10's: weights 14.99 GiB, KV cache 4.60 GiB,
    37,696 tokens."""
    found = served(LLAMA_8B, "VM.GPU.A10.1")

    assert found.weights / GIB == pytest.approx(14.99, rel=0.01)
    assert found.kv_per_token == 128 * 1024
    assert found.kv_tokens.low < 37_696 < found.kv_tokens.high
    assert found.kv_tokens.expected == pytest.approx(37_696, rel=0.1)
    assert found.kv_tokens.expected * found.kv_per_token / GIB == pytest.approx(4.6, rel=0.1)


def test_the_tutorial_s_deployment_fits_two_gpus_and_not_one() -> None:
    two = served(LLAMA_13B, "VM.GPU.A10.2")
    one = served(LLAMA_13B, "VM.GPU.A10.1")

    assert (two.tensor_parallel, two.fit.verdict, two.longest) == (2, "fits", 4096)
    assert two.concurrency == pytest.approx(two.kv_tokens.expected / 4096)
    assert two.concurrency > 4
    assert (one.fit.verdict, one.longest, one.concurrency) == ("does not fit", 0, 0)
    assert one.fit.why == "the weights take 26.0 GB of each GPU, of which vLLM gets 21.3 GB"


def test_the_longest_is_where_the_range_begins_to_be_too_small() -> None:
    found = served(LLAMA_8B, "VM.GPU.A10.1")
    verdicts = [
        served(LLAMA_8B, "VM.GPU.A10.1", length).fit.verdict
        for length in (found.longest, found.longest + 16, int(found.kv_tokens.high) + 16)
    ]
    assert verdicts == ["fits", "tight", "does not fit"]
    assert found.longest == found.kv_tokens.low


def test_no_sequence_is_longer_than_the_model_s_positions() -> None:
    found = served("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "VM.GPU.A10.1")
    assert found.fit.verdict == "does not fit"
    assert "2,048 positions" in found.fit.why
    assert found.longest == 2048  # that much it serves


def test_a_sliding_window_keeps_less() -> None:
    """vLLM keeps the window and one step's tokens of a sequence, however long it is."""
    whole = model("mistralai/Mistral-7B-v0.3")
    sliding = replace(whole, sliding_window=4096)
    shape = replace(gpu_shapes()["VM.GPU.A10.1"], capacity_gib=17.5)

    found = [serving(each, shape, 32_768) for each in (whole, sliding)]
    assert found[0].kv_tokens == found[1].kv_tokens
    assert [each.fit.verdict for each in found] == ["does not fit", "fits"]
    assert found[1].longest == 32_768
    assert found[1].concurrency == found[1].kv_tokens.expected / (4095 + 2048)


@pytest.mark.parametrize(
    ("name", "gpus", "why"),
    [
        (LLAMA_13B, 3, "40 heads can't be shared by 3 GPUs"),
        ("Qwen/Qwen2.5-7B", 8, "28 heads can't be shared by 8 GPUs"),
        (LLAMA_70B, 8, ""),
        ("Qwen/Qwen2.5-7B", 4, ""),
    ],
)
def test_what_the_gpus_can_share(name: str, gpus: int, why: str) -> None:
    assert vllm.undivided(model(name), gpus) == why


def test_key_value_heads_are_repeated_where_gpus_are_more() -> None:
    """Qwen2.5 7B has 4: on 4 GPUs and on a made-up 28 of them each holds one."""
    qwen = model("Qwen/Qwen2.5-7B")
    assert [vllm.kv_per_token(qwen, gpus) for gpus in (1, 2, 4, 28)] == [57344, 28672, 14336, 14336]
    # Weights are split to the last number, but for those heads.
    assert vllm.weights(qwen, 1) == 2 * qwen.parameters
    assert vllm.weights(qwen, 4) == pytest.approx(2 * qwen.parameters / 4)
    assert vllm.weights(qwen, 28) > 2 * qwen.parameters / 28


def test_by_default_as_many_gpus_as_the_heads_allow() -> None:
    assert served("Qwen/Qwen2.5-7B", "BM.GPU.H100.8").tensor_parallel == 4
    assert served(LLAMA_70B, "BM.GPU.H100.8").tensor_parallel == 8


def test_more_gpus_than_the_shape_has() -> None:
    found = served(LLAMA_13B, "VM.GPU.A10.1", 4096, "-tp", "2")
    assert (found.fit.verdict, found.fit.why) == (
        "does not fit",
        "VM.GPU.A10.1 has 1 GPUs, not 2",
    )


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        ("--gpu-memory-utilization 0.95", 1.2),
        ("--kv-cache-dtype fp8", 2.0),
        ("--quantization=fp8", 2.5),
    ],
)
def test_arguments_that_leave_more_for_the_cache(arguments: str, changed: float) -> None:
    usual = served(LLAMA_8B, "VM.GPU.A10.1").kv_tokens.expected
    found = served(LLAMA_8B, "VM.GPU.A10.1", 4096, *arguments.split()).kv_tokens.expected
    assert found / usual == pytest.approx(changed, rel=0.1)


def test_fewer_requests_at_once_take_less_beside_the_cache() -> None:
    usual = served(LLAMA_8B, "VM.GPU.A10.1")
    less = served(LLAMA_8B, "VM.GPU.A10.1", 4096, "--max-num-seqs", "16")
    more = served(LLAMA_8B, "VM.GPU.A10.1", 4096, "--max-num-batched-tokens", "16k")
    assert less.peak.high < usual.peak.high
    assert more.peak.low > 4 * usual.peak.low


def test_fp8_weights_are_loaded_whole_first() -> None:
    found = served(LLAMA_13B, "VM.GPU.A10.1", 4096, "--quantization", "fp8")
    assert found.fit.verdict == "does not fit"
    assert "loaded in 16 bits" in found.fit.why


def test_a_gpu_without_bf16_is_said() -> None:
    assert "--dtype half" in served("meta-llama/Llama-3.2-3B", "VM.GPU3.1").fit.why
    assert (
        served("meta-llama/Llama-3.2-3B", "VM.GPU3.1", 4096, "--dtype=half").fit.verdict == "fits"
    )
    assert served("meta-llama/Llama-3.2-1B", "VM.GPU2.1").fit.verdict == "does not fit"


def test_all_shapes_cheapest_first() -> None:
    found = servings(model(LLAMA_13B), 4096)

    assert {each.shape.name for each in found} == {
        name for name, shape in gpu_shapes().items() if shape.deployments
    }
    fits = [each for each in found if each.fit.verdict == "fits"]
    assert fits == list(found[: len(fits)])
    assert (fits[0].shape.name, fits[0].tensor_parallel, fits[0].dollars_per_hour) == (
        "VM.GPU.A10.2", 2, 4.0,
    )  # fmt: skip
    prices = [each.dollars_per_hour or 1e9 for each in fits]
    assert prices == sorted(prices)
    # The fewest GPUs that fit: one of the L40S, two of the bare metal A10.
    by_name = {each.shape.name: each.tensor_parallel for each in found}
    assert (by_name["BM.GPU.L40S.4"], by_name["BM.GPU.A10.4"]) == (1, 2)


def test_what_is_not_modelled_is_said() -> None:
    words = ["--speculative-config", "{}", "--kv-cache-dtype=int4", "-q", "awq", "--enable-lora"]
    found = serving_of_arguments([*words, "--max-model-len", "huge"])
    assert set(found.unclear) == {
        "--speculative-config",
        "--kv-cache-dtype int4",
        "--quantization awq",
        "--enable-lora",
        "--max-model-len huge",
    }
    assert serving_of_arguments([]) == ServingOptions()


def test_the_last_of_two_counts_and_both_spellings_are_read() -> None:
    found = serving_of_arguments(
        ["--max-model-len", "2048", "--tensor_parallel_size=4", "--max-model-len=32K", "-tp", "2"]
    )
    assert (found.max_model_len, found.tensor_parallel, found.unclear) == (32_768, 2, ())


def test_what_oracles_container_does_not_run_on_is_not_the_first_choice() -> None:
    found = find("meta-llama/Llama-2-13b-hf")
    assert found is not None
    each = serving(found, gpu_shapes()["BM.GPU.MI300X.8"], 4096)
    assert each.fit.verdict == "tight"
    assert "of ROCm" in each.fit.why


@pytest.mark.parametrize("words", ["--max-model-len -1", "--max-num-seqs 0"])
def test_a_number_below_one_is_not_computed_with(words: str) -> None:
    found = serving_of_arguments(words.split())
    assert found.unclear == (words,)
    assert (found.max_model_len, found.max_num_seqs) == (None, None)
