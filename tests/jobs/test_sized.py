"""What the emitted commands say in the terms of sizing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from infra.definitions import definitions
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from infra.tenancy import sized as infra_sized
from jobs import plan_tenancy
from jobs.definitions import KINDS, Definition
from jobs.errors import DefinitionError
from jobs.sized import sized, training_of
from sizing.training import LINEAR_LAYERS, Training
from sizing.training_words import training_of_words
from tests.jobs.samples import all_definitions, definition

OCIDS = (
    "tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy\n"
    "compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment\n"
)
PLACES = Places(
    project_id="ocid1.datascienceproject.oc1.iad.aaaa",
    subnet_id="ocid1.subnet.oc1.iad.aaaa",
    log_group_id="ocid1.loggroup.oc1.iad.aaaa",
    job_log_id="ocid1.log.oc1.iad.aaaa",
    predict_log_id="ocid1.log.oc1.iad.aaab",
    access_log_id="ocid1.log.oc1.iad.aaac",
    bucket="bucket",
    namespace="namespace",
    vault_id="ocid1.vault.oc1.iad.aaaa",
)


def _emitted(folder: Path, text: str) -> dict[str, Definition]:
    file = folder / "some.yaml"
    file.write_text(OCIDS + text)
    tenancy = load(file)
    texts = definitions(tenancy, plan_for(tenancy), PLACES)
    return {name: Definition(name, Path(f"{name}.yaml"), texts[f"{name}.yaml"]) for name in KINDS}


def test_the_tutorials_command() -> None:
    found = sized(all_definitions())
    assert found.model_id == "meta-llama/Llama-2-13b-hf"
    assert found.model is not None
    assert found.model.layers == 40
    assert found.data_id == "knkarthick/samsum"
    assert found.training == Training(
        method="lora",
        recipe="llama-recipes",
        batch_size=4,
        max_length=2048,
        epochs=3,
        lora_targets=("q_proj", "v_proj"),
    )


def test_every_parameter_by_llama_recipes(tmp_path: Path) -> None:
    found = training_of(
        _emitted(tmp_path, "model: 7b\nfinetune: {recipe: llama-recipes}\n")["finetune"]
    )
    assert (found.method, found.batch_size, found.precision) == ("full", 1, "bf16")


def test_our_own_recipe(tmp_path: Path) -> None:
    emitted = _emitted(
        tmp_path,
        "model: meta-llama/Llama-3.1-8B\n"
        "finetune: {method: full, max_steps: 70, batch_size: 2, gradient_accumulation: 8,"
        " max_length: 512, packing: false, gradient_checkpointing: false, precision: fp32,"
        " shape: BM.GPU.H100.8, replicas: 1}\n",
    )
    assert training_of(emitted["finetune"]) == Training(
        method="full",
        batch_size=2,
        max_length=512,
        accumulation=8,
        checkpointing=False,
        packing=False,
        precision="fp32",
        epochs=None,
        max_steps=70,
    )


def test_more_words_count_and_the_last_of_two(tmp_path: Path) -> None:
    emitted = _emitted(
        tmp_path,
        "model: TinyLlama/TinyLlama-1.1B-Chat-v1.0\n"
        "finetune:\n  extra_args: [--lora-rank=64, --lora-targets, 'q_proj,v_proj',"
        " --no-gradient-checkpointing, --batch-size, '2']\n",
    )
    found = training_of(emitted["finetune"])
    assert (found.lora_rank, found.lora_targets) == (64, ("q_proj", "v_proj"))
    assert (found.checkpointing, found.batch_size) == (False, 2)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("--enable_fsdp", "precision", "fp32"),
        ("--enable_fsdp --pure_bf16 --use_peft=False", "method", "full"),
        ("--enable_fsdp --gradient_accumulation_steps 4", "accumulation", 4),
        ("--enable_fsdp --fsdp_config.fsdp_activation_checkpointing False", "checkpointing", False),
        ("--enable_fsdp --use_peft --lora_config.r 32", "lora_rank", 32),
        ("-m recipes.sft --precision auto", "precision", "bf16"),
        ("-m recipes.sft", "lora_targets", LINEAR_LAYERS),
        ("-m recipes.sft", "epochs", 3),
    ],
)
def test_words(words: str, field: str, value: object) -> None:
    assert getattr(training_of_words(shlex.split(words)), field) == value


def test_what_is_no_number_is_told() -> None:
    bad = definition("finetune", **{"--num_epochs 3": "--num_epochs many"})
    with pytest.raises(DefinitionError, match=r"finetune\.yaml: the command's --num-epochs is 'm"):
        training_of(bad)


@pytest.mark.parametrize(
    "text",
    [
        "model: 13b\nfinetune: {recipe: llama-recipes}\n",
        "model: 7b\nfinetune: {recipe: llama-recipes, epochs: 2, batch_size: 2}\n",
        "model: 7b\n",
        "model: Qwen/Qwen2.5-0.5B\nfinetune: {precision: fp32, packing: false, max_length: 512,"
        " gradient_checkpointing: false, max_steps: 9, gradient_accumulation: 2, replicas: 6}\n",
        "finetune: {extra_args: [--lora-rank=16, --lora-targets, 'q_proj,v_proj']}\n",
        "finetune: {extra_args: [--batch-size, '1', --max-length=512]}\n",
        # Fits one node by what it is told last; by the field's default it would be refused.
        "finetune: {recipe: llama-recipes, replicas: 1,"
        " extra_args: [--batch_size_training, '1']}\n",
    ],
)
def test_one_training_whoever_reads_it(text: str, tmp_path: Path) -> None:
    """The plan reads the tenancy file, preflight what was emitted, and infra has its own rules."""
    emitted = training_of(_emitted(tmp_path, text)["finetune"])
    assert plan_tenancy.read(tmp_path / "some.yaml").training == emitted
    assert infra_sized.training_of(load(tmp_path / "some.yaml")) == emitted
