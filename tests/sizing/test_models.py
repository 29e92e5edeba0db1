"""Known models against the counts published with their weights; configs read, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sizing.models import (
    FAMILIES,
    Model,
    ModelConfigError,
    find,
    known,
    read_config,
    read_config_file,
)

# Of the safetensors' metadata on Hugging Face.
PUBLISHED = {
    "meta-llama/Llama-2-7b-hf": 6_738_415_616,
    "meta-llama/Llama-2-13b-hf": 13_015_864_320,
    "meta-llama/Llama-2-70b-hf": 68_976_648_192,
    "codellama/CodeLlama-7b-hf": 6_738_546_688,
    "codellama/CodeLlama-13b-hf": 13_016_028_160,
    "codellama/CodeLlama-34b-hf": 33_743_970_304,
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": 1_100_048_384,
    "meta-llama/Meta-Llama-3-8B": 8_030_261_248,
    "meta-llama/Meta-Llama-3-70B": 70_553_706_496,
    "meta-llama/Llama-3.1-8B": 8_030_261_248,
    "meta-llama/Llama-3.1-70B": 70_553_706_496,
    "meta-llama/Llama-3.2-1B": 1_235_814_400,
    "meta-llama/Llama-3.2-3B": 3_212_749_824,
    "mistralai/Mistral-7B-v0.1": 7_241_732_096,
    "mistralai/Mistral-7B-Instruct-v0.2": 7_241_732_096,
    "mistralai/Mistral-7B-v0.3": 7_248_023_552,
    "Qwen/Qwen2.5-0.5B": 494_032_768,
    "Qwen/Qwen2.5-1.5B": 1_543_714_304,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B": 3_085_938_688,
    "Qwen/Qwen2.5-7B": 7_615_616_512,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen2.5-14B": 14_770_033_664,
    "Qwen/Qwen2.5-14B-Instruct": 14_770_033_664,
    "Qwen/Qwen2.5-32B": 32_763_876_352,
    "Qwen/Qwen2.5-32B-Instruct": 32_763_876_352,
    "Qwen/Qwen2.5-72B": 72_706_203_648,
    "Qwen/Qwen2.5-72B-Instruct": 72_706_203_648,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "Qwen/Qwen3-14B": 14_768_307_200,
    "Qwen/Qwen3-32B": 32_762_123_264,
}

CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 512,
    "max_position_embeddings": 1024,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_published(name: str) -> None:
    assert known()[name].parameters == PUBLISHED[name]


def test_each_row_of_the_table_is_held_against_a_published_count() -> None:
    def measures(model: Model) -> tuple[int, ...]:
        return (model.parameters, model.layers, model.hidden_size, model.max_positions)

    counted = {measures(known()[name]) for name in PUBLISHED}
    assert {name for name, model in known().items() if measures(model) not in counted} == set()


def test_every_known_model_says_where_it_is_from() -> None:
    for name, model in known().items():
        assert model.name == name
        assert model.family in FAMILIES
        assert model.source == f"https://huggingface.co/{name}/blob/main/config.json"
    assert known()["meta-llama/Llama-2-13b-hf"].gated is True
    assert known()["Qwen/Qwen2.5-0.5B"].gated is False
    assert known()["mistralai/Mistral-7B-v0.1"].sliding_window == 4096


def test_a_name_is_found_in_any_case() -> None:
    found = find(" Meta-Llama/llama-2-13B-HF ")
    assert found is not None
    assert found.name == "meta-llama/Llama-2-13b-hf"
    assert find("meta-llama/Llama-2-14b-hf") is None


def test_a_config_is_read_with_the_defaults_of_the_first_llamas() -> None:
    model = read_config(json.dumps(CONFIG), "mine/tiny")
    assert (model.kv_heads, model.head_dim, model.tied_embeddings) == (4, 16, False)
    assert model.parameters == 2 * 512 * 64 + 64 + 2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64)
    assert model.gated is None


def test_what_families_have_of_their_own_is_counted() -> None:
    plain = read_config(json.dumps(CONFIG), "x").layer_parameters

    def more(**fields: Any) -> int:
        return read_config(json.dumps(CONFIG | fields), "x").layer_parameters - plain

    assert more(model_type="mistral") == 0
    assert more(attention_bias=True) == 4 * 64
    assert more(model_type="qwen2") == 3 * 64  # no bias after attention
    assert more(model_type="qwen3", head_dim=16) == 2 * 16  # norms of queries and keys
    assert more(model_type="qwen3") == 4 * 64 * (4 * 128 - 64) + 2 * 128  # heads are 128 wide


def test_a_window_counts_only_where_it_is_used() -> None:
    def window(**fields: Any) -> int | None:
        return read_config(json.dumps(CONFIG | fields), "x").sliding_window

    assert window() is None
    assert window(sliding_window=None) is None
    assert window(sliding_window=256) == 256
    assert window(sliding_window=256, use_sliding_window=False) is None


def test_lora_adds_two_thin_matrices_to_each_target() -> None:
    model = known()["meta-llama/Llama-2-7b-hf"]
    # peft's print_trainable_parameters for r=8 on q_proj and v_proj: 4,194,304
    assert model.lora_parameters(8, ("q_proj", "v_proj")) == 4_194_304


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "mine/one: config.json is no JSON"),
        ("[]", "mine/one: config.json is no object"),
        (json.dumps({}), "model_type: there is none; sized here are llama, mistral"),
        (json.dumps({"model_type": "gpt2"}), "model_type: it is 'gpt2'; sized here are llama"),
        (
            json.dumps({**CONFIG, "hidden_size": "64"}),
            "hidden_size is '64'; it must be a whole number",
        ),
        (json.dumps({**CONFIG, "vocab_size": True}), "vocab_size is True"),
        (json.dumps({**CONFIG, "num_hidden_layers": 0}), "num_hidden_layers is 0"),
        (json.dumps({**CONFIG, "tie_word_embeddings": 1}), "must be true or false"),
        (json.dumps({**CONFIG, "mlp_bias": True}), "mlp_bias is true"),
        (json.dumps({**CONFIG, "num_key_value_heads": 3}), "must divide num_attention_heads, 4"),
        (
            json.dumps({**CONFIG, "num_attention_heads": 128}),
            "num_attention_heads, 128, must divide",
        ),
        (json.dumps({**CONFIG, "vocab_size": 10**400}), "a whole number from 1 to 1,000,000,000"),
        ("[" * 100_000, "mine/one: config.json is no JSON"),
        (json.dumps({**CONFIG, "quantization_config": {"bits": 4}}), "quantization_config"),
    ],
)
def test_what_cant_be_sized_is_refused_by_its_field(text: str, message: str) -> None:
    with pytest.raises(ModelConfigError) as refused:
        read_config(text, "mine/one")
    assert str(refused.value).startswith("mine/one: ")
    assert message in str(refused.value)


@pytest.mark.parametrize("field", [name for name in CONFIG if name != "model_type"])
def test_a_missing_field_is_named(field: str) -> None:
    config = {name: value for name, value in CONFIG.items() if name != field}
    with pytest.raises(ModelConfigError, match=f"lacks {field}"):
        read_config(json.dumps(config), "mine/one")


def test_a_config_is_read_from_its_file_or_folder(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    with pytest.raises(ModelConfigError, match="can't be read: No such file"):
        read_config_file(tmp_path)
    file.write_text(json.dumps(CONFIG))
    assert read_config_file(tmp_path).parameters == read_config_file(file).parameters
    assert read_config_file(tmp_path).source == str(file)
