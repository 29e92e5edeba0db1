"""What is provisioned is what is planned: sizing's numbers in the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.definitions import definitions
from infra.plan import Plan, plan_for
from infra.tenancy import Tenancy, load
from infra.tenancy.sized import model_of, training_of
from jobs.definitions import Definition
from jobs.sized import training_of as training_of_definition
from sizing.disk import merge_disk, stage_disk, training_disk
from sizing.models import find
from tests.infra.synthesis import OCIDS
from tests.infra.test_fallbacks import PLACES


def tenancy(tmp_path: Path, text: str) -> Tenancy:
    file = tmp_path / "test.yaml"
    file.write_text(OCIDS + text)
    return load(file)


def plan(tmp_path: Path, text: str) -> Plan:
    return plan_for(tenancy(tmp_path, text))


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "method: full, replicas: 12",
        "recipe: llama-recipes",
        "recipe: llama-recipes, method: full, replicas: 16, batch_size: 2",
        "batch_size: 2, gradient_accumulation: 3, max_length: 1024, packing: false, epochs: 5",
        "gradient_checkpointing: false, batch_size: 1, max_length: 256, max_steps: 40",
        "precision: fp32, batch_size: 1, max_length: 512, replicas: 12",
        "extra_args: [--lora-rank, '64', '--lora-targets=q_proj,v_proj']",
    ],
)
def test_the_runner_reads_the_same_training_from_the_command(fields: str, tmp_path: Path) -> None:
    found = tenancy(tmp_path, f"finetune: {{{fields}}}\n")
    texts = definitions(found, plan_for(found), PLACES)
    emitted = Definition("finetune", Path("finetune.yaml"), texts["finetune.yaml"])
    assert training_of(found) == training_of_definition(emitted)


def storage(found: dict[str, Any]) -> dict[str, int]:
    return {
        name: found[f"{name}.yaml"]["spec"]["infrastructure"]["spec"]["blockStorageSize"]
        for name in ("stage", "finetune", "merge")
    }


def emitted(found: Tenancy) -> dict[str, Any]:
    texts = definitions(found, plan_for(found), PLACES)
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def test_block_storage_is_what_a_known_model_takes(tmp_path: Path) -> None:
    text = (
        "model: Qwen/Qwen2.5-14B\nfinetune: {method: full, replicas: 3, shape: BM.GPU.A100-v2.8}\n"
    )
    found = tenancy(tmp_path, text)
    model, training = model_of(found), training_of(found)
    assert model is not None
    assert storage(emitted(found)) == {
        "stage": stage_disk(model).recommended_gb,
        "finetune": training_disk(model, training, 3).recommended_gb,
        "merge": merge_disk(model, training).recommended_gb,
    }
    assert storage(emitted(found))["finetune"] == 250


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The tutorial's nodes have 256 GB.
        ("", {"stage": 100, "finetune": 256, "merge": 256}),
        ("model: 7b\n", {"stage": 100, "finetune": 256, "merge": 256}),
        # Nothing is known of it: as ever.
        ("model: org/mystery-3b\n", {"stage": 100, "finetune": 256, "merge": 256}),
        # What the file says.
        (
            "stage: {block_storage_gb: 60}\nfinetune: {block_storage_gb: 70}\n"
            "merge: {block_storage_gb: 80}\n",
            {"stage": 60, "finetune": 70, "merge": 80},
        ),
    ],
)
def test_block_storage_otherwise(text: str, expected: dict[str, int], tmp_path: Path) -> None:
    assert storage(emitted(tenancy(tmp_path, text))) == expected


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 4096),
        ("model: TinyLlama/TinyLlama-1.1B-Chat-v1.0\n", 2048),  # it has no more positions
        ("model: org/mystery-3b\n", 4096),
        ("serving: {max_model_len: 1000}\n", 1000),
    ],
)
def test_the_longest_request(text: str, length: int, tmp_path: Path) -> None:
    assert plan(tmp_path, text).max_model_len == length
    deployment = emitted(tenancy(tmp_path, text))["deployment.yaml"]
    words = deployment["spec"]["runtime"]["spec"]["env"]["PARAMS"].split()
    assert words[words.index("--max-model-len") + 1] == str(length)


@pytest.mark.parametrize(
    ("model", "gpus"),
    [("13b", 8), ("Qwen/Qwen2.5-7B", 4), ("org/mystery-7b", 8)],  # 28 heads: 8 GPUs can't
)
def test_as_many_gpus_serve_as_the_heads_allow(model: str, gpus: int, tmp_path: Path) -> None:
    text = f"model: {model}\nserving: {{shape: BM.GPU.A100-v2.8}}\n"
    assert plan(tmp_path, text).tensor_parallel == gpus


def test_the_presets_are_known_models() -> None:
    assert find("meta-llama/Llama-2-7b-hf") is not None
    assert find("meta-llama/Llama-2-13b-hf") is not None
