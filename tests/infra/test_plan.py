"""Defaults that follow from other fields."""

from pathlib import Path

import pytest

from infra.plan import Plan, plan_for
from infra.tenancy import load
from infra.tenancy.sized import model_of, training_of
from infra.tenancy.sizes import replicas_by_name
from infra.tenancy.tables import GPU_SHAPES
from sizing.fit import fit
from sizing.memory import training_memory
from tests.infra.synthesis import OCIDS


def plan(tmp_path: Path, text: str) -> Plan:
    file = tmp_path / "test.yaml"
    file.write_text(OCIDS + text)
    return plan_for(load(file))


def test_13b_is_the_tutorial_s_first_case(tmp_path: Path) -> None:
    found = plan(tmp_path, "model: 13b\n")

    assert found.model_id == "meta-llama/Llama-2-13b-hf"
    assert (found.method, found.replicas, found.batch_size) == ("lora", 6, 4)
    assert found.outputs_prefix == "llama2-ft-lora-13b"


def test_7b_is_the_tutorial_s_second_case(tmp_path: Path) -> None:
    found = plan(tmp_path, "model: 7b\n")

    assert found.model_id == "meta-llama/Llama-2-7b-hf"
    assert (found.method, found.replicas, found.batch_size) == ("full", 3, 1)
    assert found.outputs_prefix == "llama2-ft-full-7b"


@pytest.mark.parametrize(
    ("text", "replicas"),
    [
        # 16 bytes a parameter: 13b = 208 GB = 9 GPUs of 24 GB, 3 of 80 GB
        ("model: org/mystery-13b\nfinetune: {shape: VM.GPU.A10.1}\n", 9),
        ("model: org/mystery-13b\nfinetune: {shape: BM.GPU.A100-v2.8}\n", 1),
        ("model: org/mystery-70b\n", 24),
        ("model: org/mystery-70b\nfinetune: {replicas: 4}\n", 4),
        # Known, but for GPUs without bf16 nothing is planned.
        ("model: meta-llama/Llama-3.1-8B\nfinetune: {shape: VM.GPU3.1}\n", 8),
    ],
)
def test_nodes_by_the_rule_of_thumb(tmp_path: Path, text: str, replicas: int) -> None:
    assert plan(tmp_path, text).replicas == replicas


@pytest.mark.parametrize(
    ("text", "by_the_rule"),
    [
        # LoRA takes less than the rule of thumb says, all parameters of 13b more.
        ("model: meta-llama/Llama-3.1-8B\n", 3),
        ("model: Qwen/Qwen2.5-14B\nfinetune: {shape: BM.GPU.A10.4}\n", 3),
        ("model: 13b\nfinetune: {method: full}\n", 5),
        ("model: Qwen/Qwen2.5-0.5B\n", 1),
    ],
)
def test_nodes_of_a_known_model(tmp_path: Path, text: str, by_the_rule: int) -> None:
    """The fewest that hold the training with room to spare."""
    file = tmp_path / "test.yaml"
    file.write_text(OCIDS + text)
    tenancy = load(file)
    model, shape = model_of(tenancy), GPU_SHAPES[tenancy.finetune.shape]
    assert model is not None
    training, nodes = training_of(tenancy), plan_for(tenancy).replicas

    assert fit(training_memory(model, training, nodes * shape.gpus).total, shape).verdict == "fits"
    if nodes > 1:
        fewer = training_memory(model, training, (nodes - 1) * shape.gpus).total
        assert fit(fewer, shape).verdict != "fits"
    assert replicas_by_name(tenancy.model, shape.name) == by_the_rule
    assert (nodes > by_the_rule) == ("full" in text)


@pytest.mark.parametrize(
    ("shape", "replicas"), [("VM.GPU.A10.1", 12), ("BM.GPU.A10.4", 3), ("BM.GPU.H100.8", 1)]
)
def test_the_tutorial_s_case_has_its_gpu_memory_on_any_shape(
    shape: str, replicas: int, tmp_path: Path
) -> None:
    """6 x 2 x 24 GB: a few A10s would hold it, and take all day."""
    assert plan(tmp_path, f"model: 13b\nfinetune: {{shape: {shape}}}\n").replicas == replicas


def test_another_model_gets_lora_and_names_of_its_own(tmp_path: Path) -> None:
    found = plan(tmp_path, "model: Qwen/Qwen2.5-0.5B\n")

    assert (found.method, found.batch_size) == ("lora", 4)
    assert found.slug == "qwen2-5-0-5b"
    assert found.merged_prefix == "merged/qwen2-5-0-5b-ft-lora"


def test_sft_trains_where_every_tenancy_can(tmp_path: Path) -> None:
    ours = plan(tmp_path, "")
    theirs = plan(tmp_path, "finetune: {recipe: llama-recipes}\n")
    mine = plan(tmp_path, "finetune: {conda: pytorch29_p313_gpu_x86_64_v1}\n")

    assert ours.conda == ours.own_conda == "pytorch28_p312_gpu_x86_64_v1"
    assert (theirs.conda, theirs.own_conda) == ("pytorch20_p39_gpu_v2", ours.conda)
    assert mine.conda == mine.own_conda == "pytorch29_p313_gpu_x86_64_v1"


@pytest.mark.parametrize(
    ("fields", "epochs", "rate"),
    [
        ("", 3, 1e-4),
        ("method: full", 3, 1e-5),
        ("epochs: 1, learning_rate: 2.0e-4", 1, 2e-4),
        ("max_steps: 40, learning_rate: 2e-4", None, 2e-4),
    ],
)
def test_how_long_and_how_fast(
    fields: str, epochs: int | None, rate: float, tmp_path: Path
) -> None:
    found = plan(tmp_path, f"finetune: {{{fields}}}\n")
    assert (found.epochs, found.learning_rate) == (epochs, rate)


def test_another_data_set_gets_folders_of_its_own(tmp_path: Path) -> None:
    found = plan(tmp_path, "dataset: someone/Dialog.Sum\n")

    assert found.dataset == "dialog-sum"
    assert found.data_prefix == "data/dialog-sum"
    assert found.outputs_prefix == "llama2-ft-lora-13b-dialog-sum"
    assert found.checkpoints_prefix.startswith(f"checkpoints/{found.outputs_prefix}/")
    assert found.base_prefix == "base/llama2-13b"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("finetune: {learning_rate: 0.01}\n", False),
        ("finetune: {batch_size: 2}\n", False),
        ("finetune: {extra_args: [--lora-rank=4]}\n", False),
        ("dataset_revision: v2\n", False),
        (
            "finetune: {checkpoint_every: 7, gradient_checkpointing: false, batch_size: 3, "
            "shape: BM.GPU.H200.8, replicas: 2}\n",
            True,
        ),
        ("finetune: {replicas: 3, gradient_accumulation: 2}\n", True),
        ("finetune: {replicas: 3, shape: BM.GPU.A10.4}\n", True),
    ],
)
def test_a_training_goes_on_from_its_own_checkpoints(
    other: str, same: bool, tmp_path: Path
) -> None:
    places = {plan(tmp_path, text).checkpoints_prefix for text in ("", other)}
    assert len(places) == (1 if same else 2)


@pytest.mark.parametrize(
    ("fields", "size"),
    [("", (4, 64)), ("ocpus: 8", (8, 128)), ("shape: VM.Standard2.4", None)],
)
def test_the_staging_node(fields: str, size: tuple[int, int] | None, tmp_path: Path) -> None:
    assert plan(tmp_path, f"stage: {{{fields}}}\n").stage_size == size


def test_what_the_file_says_wins(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        "model: 7b\nbucket: mine\nhome_region: us-phoenix-1\nserving: {tensor_parallel: 1}\n"
        "finetune: {method: lora, batch_size: 2}\n",
    )

    assert (found.method, found.batch_size, found.tensor_parallel) == ("lora", 2, 1)
    assert (found.bucket, found.home_region) == ("mine", "us-phoenix-1")
