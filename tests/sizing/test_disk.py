"""Block storage: what the recipes write to it, part by part."""

from __future__ import annotations

import pytest

from sizing.disk import MOST_GB, merge_disk, stage_disk, training_disk
from sizing.models import Model, find
from sizing.training import Training


def model(name: str) -> Model:
    found = find(f"meta-llama/Llama-2-{name}-hf")
    assert found is not None
    return found


def test_an_adapter_is_next_to_nothing() -> None:
    """What a LoRA training needs is the environment and the base model: 13b's files are 26 GB."""
    found = training_disk(model("13b"), Training())
    assert found.gb == pytest.approx(20 + 1 + 1 + 26.0, abs=1)
    assert found.recommended_gb == 100
    assert "the base model, as it is read 26.0 GB" in found.why


def test_checkpoints_of_all_parameters_are_shared_by_the_nodes() -> None:
    """12 bytes a parameter: the fp32 weight and AdamW's two moments. Two lie there at most: the one
    that a run has gone on from, and the one that is being written."""
    full = Training(method="full")
    one, three = (training_disk(model("7b"), full, nodes) for nodes in (1, 3))
    checkpoint = 6.738 * 12
    assert one.gb - three.gb == pytest.approx(2 * checkpoint * 2 / 3, rel=0.01)
    assert (one.recommended_gb, three.recommended_gb) == (250, 150)


def test_llama_recipes_keeps_the_output_only() -> None:
    full = Training(method="full", recipe="llama-recipes")
    one, three = (training_disk(model("7b"), full, nodes) for nodes in (1, 3))
    assert one.gb - three.gb == pytest.approx(13.48 * 2 / 3, rel=0.01)
    lora = Training(recipe="llama-recipes")
    assert training_disk(model("7b"), lora, 3) == training_disk(model("7b"), lora, 1)


def test_a_merge_passes_the_model_through_file_by_file() -> None:
    lora, full = (merge_disk(model("70b"), Training(method=method)) for method in ("lora", "full"))
    # Base and merged model, 138 GB each, and one file; a full training's output as well.
    assert lora.gb == pytest.approx(20 + 1 + 1 + 2 * 137.95 + 10, abs=1)
    assert full.gb - lora.gb == pytest.approx(137.95, abs=1)


def test_staging_needs_room_for_the_data_set_only() -> None:
    assert stage_disk(model("70b")) == stage_disk(model("7b"))
    assert stage_disk(model("7b")).recommended_gb == 100


def test_never_more_than_oci_gives() -> None:
    large = Model(
        name="large", family="llama", hidden_size=16384, layers=500, heads=128, kv_heads=128,
        head_dim=128, intermediate_size=65536, vocab_size=128_256, max_positions=8192,
    )  # fmt: skip
    found = training_disk(large, Training(method="full"))
    assert found.gb > MOST_GB
    assert found.recommended_gb == MOST_GB


def test_what_is_recommended_leaves_room() -> None:
    for name in ("7b", "13b", "70b"):
        for training in (Training(), Training(method="full"), Training(precision="fp32")):
            for disk in (training_disk(model(name), training), merge_disk(model(name), training)):
                assert disk.recommended_gb > 1.15 * disk.gb
