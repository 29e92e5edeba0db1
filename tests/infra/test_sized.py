"""What is provisioned is what is planned: sizing's numbers in the definitions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.definitions import definitions
from infra.plan import Plan, plan_for
from infra.tenancy import Tenancy, TenancyError, load
from infra.tenancy.sized import model_of, training_of
from infra.tenancy.sizes import billions_of, hugging_face_id, replicas_by_name
from infra.tenancy.tables import GPU_SHAPES, SHAPES
from infra.tenancy.training import replicas_on
from jobs.definitions import Definition
from jobs.sized import training_of as training_of_definition
from sizing.choices import fewest_replicas
from sizing.disk import merge_disk, stage_disk, training_disk
from sizing.fit import fit
from sizing.memory import training_memory
from sizing.models import Model, find, known
from sizing.ranges import Range
from sizing.shapes import listed
from sizing.training import Training
from tests.infra.synthesis import OCIDS
from tests.infra.test_fallbacks import PLACES

A10_2 = GPU_SHAPES["VM.GPU.A10.2"]


def model(preset: str) -> Model:
    found = find(hugging_face_id(preset))
    assert found is not None
    return found


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
    planned, training = model_of(found), training_of(found)
    assert planned is not None
    assert storage(emitted(found)) == {
        "stage": stage_disk(planned).recommended_gb,
        "finetune": training_disk(planned, training, 3).recommended_gb,
        "merge": merge_disk(planned, training).recommended_gb,
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
    ("name", "gpus"),
    [("13b", 8), ("Qwen/Qwen2.5-7B", 4), ("org/mystery-7b", 8)],  # 28 heads: 8 GPUs can't
)
def test_as_many_gpus_serve_as_the_heads_allow(name: str, gpus: int, tmp_path: Path) -> None:
    text = f"model: {name}\nserving: {{shape: BM.GPU.A100-v2.8}}\n"
    assert plan(tmp_path, text).tensor_parallel == gpus


def test_every_shape_of_data_science_is_in_the_table_and_no_other() -> None:
    assert "BM.GPU.GB200.4" not in SHAPES  # neither jobs nor deployments take it
    assert SHAPES.keys() <= listed().keys()
    assert {name for name, shape in GPU_SHAPES.items() if not shape.gpus} == set()
    assert "VM.Standard.E4.Flex" in SHAPES.keys() - GPU_SHAPES.keys()


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(OCIDS + text)
    with pytest.raises(TenancyError) as caught:
        load("bad.yaml")
    return str(caught.value).split("\n")


def test_a_training_that_can_not_fit_is_refused_with_what_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "finetune:\n  method: full\n  replicas: 2\n"
    [told] = refused(tmp_path, monkeypatch, text)

    enough = fewest_replicas(model("13b"), Training(method="full", batch_size=1), A10_2)
    least = training_memory(model("13b"), Training(method="full", batch_size=1), 4).total.low / 1e9
    assert told.startswith(
        f"bad.yaml:5: finetune.replicas: found 2 (int); allowed: {enough} or more of VM.GPU.A10.2. "
        "Training 13b takes "
    ), told
    has = f"{A10_2.gpu_memory / 1e9:.1f}"
    figure = re.search(rf"takes ([\d.]+) GB or more of each of 4 GPUs, which have {has} GB", told)
    assert figure is not None
    assert float(figure[1]) == pytest.approx(least, abs=0.1)
    [nodes, shape] = re.findall(r"the cheapest that holds it is (\d+) x (\S+)\.$", told)[0]
    again = f"finetune: {{method: full, replicas: {nodes}, shape: {shape}}}\n"
    assert plan(tmp_path, again).replicas == int(nodes)


def test_what_would_do_is_of_a_kind_that_the_recipe_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An MI300X would be the cheapest with so much memory, and is of ROCm."""
    words = "[--no-gradient-checkpointing, --batch-size, '5']"
    [told] = refused(tmp_path, monkeypatch, f"finetune:\n  extra_args: {words}\n")
    assert "GB or more of each of 12 GPUs" in told
    assert "the cheapest that holds it is 1 x BM.GPU.H200.8." in told


def test_what_is_only_tight_is_taken(tmp_path: Path) -> None:
    """The tutorial's 7b case is: it has been run."""
    training = Training(method="full", batch_size=1)
    assert fit(training_memory(model("7b"), training, 6).total, A10_2).verdict == "tight"
    assert plan(tmp_path, "model: 7b\n").replicas == 3


@pytest.mark.parametrize(
    ("fields", "instead"),
    [
        ("gradient_checkpointing: false", "finetune.gradient_checkpointing true, "),
        ("batch_size: 64", "finetune.batch_size 1, "),
        (
            "gradient_checkpointing: false, batch_size: 64",
            "finetune.gradient_checkpointing true and finetune.batch_size 1, ",
        ),
    ],
)
def test_a_setting_that_takes_too_much_is_named(
    fields: str, instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [told] = refused(tmp_path, monkeypatch, f"finetune: {{{fields}}}\n")
    assert "finetune.shape: missing; allowed: a shape that holds the training." in told
    assert f"; with {instead}" in told


def test_what_is_tight_on_any_number_of_nodes_goes_by_the_rule_of_thumb(tmp_path: Path) -> None:
    """As 13b with LoRA by the tutorial's own recipe is on A10s, where Oracle has run it."""
    theirs = "finetune: {recipe: llama-recipes, shape: BM.GPU.A10.4}\n"
    tutorial = tenancy(tmp_path, theirs)
    assert fewest_replicas(model("13b"), training_of(tutorial), GPU_SHAPES["BM.GPU.A10.4"]) is None
    assert plan_for(tutorial).replicas == 3  # the tutorial's 12 A10s
    by_id = tenancy(tmp_path, f"model: meta-llama/Llama-2-13b-hf\n{theirs}")
    assert plan_for(by_id).replicas == 3  # 208 GB


def test_all_known_models_have_a_number_of_nodes() -> None:
    assert [name for name in known() if billions_of(name) is None] == []


def test_a_fallback_that_can_not_hold_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # llama-recipes takes as many rows on another shape as on its own.
    recipe = "finetune:\n  recipe: llama-recipes\n  shape: BM.GPU.H200.8\n"
    text = f"{recipe}  batch_size: 12\n  fallback_shapes: [VM.GPU.A10.2]\n"
    [told] = refused(tmp_path, monkeypatch, text)
    assert told.startswith(
        "bad.yaml:7: finetune.fallback_shapes[0]: found 'VM.GPU.A10.2' (str); allowed: a shape "
        "that holds the training. Training 13b takes "
    )
    # sft takes fewer: of 24 on each of 8 GPUs, 4 on each of 48.
    ours = text.replace("llama-recipes", "sft").replace("12", "24")
    assert plan(tmp_path, ours).batch_size == 24


def test_a_fallback_has_more_nodes_where_the_model_needs_more(tmp_path: Path) -> None:
    """What each GPU needs for itself, however many there are, is more of a smaller one."""
    text = (
        "model: meta-llama/Llama-2-70b-hf\nfinetune: {batch_size: 1, gradient_accumulation: 4, "
        "shape: BM.GPU.L40S.4, replicas: 1, fallback_shapes: [BM.GPU.A10.4]}\n"
        "serving: {shape: BM.GPU.L40S.4}\n"
    )
    found = tenancy(tmp_path, text)
    other = GPU_SHAPES["BM.GPU.A10.4"]
    needed = fewest_replicas(model("meta-llama/Llama-2-70b-hf"), training_of(found), other)
    assert needed is not None
    assert needed > 2  # which would have as much GPU memory: 4 x 48 GB
    assert replicas_on(found, other.name) == needed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "serving: {shape: VM.GPU.A10.1}\n",
            "bad.yaml:3: serving.shape: found 'VM.GPU.A10.1' (str); allowed: a shape that serves "
            "4,096 tokens. The server would not start on 1 GPU of VM.GPU.A10.1: the weights take "
            "26.0 GB of each GPU, of which vLLM gets 21.3 GB; the cheapest that serves it is "
            "VM.GPU.A10.2.",
        ),
        (
            "serving: {max_model_len: 8192}\n",
            "bad.yaml:3: serving.max_model_len: found 8192 (int); allowed: a whole number from 128 "
            "to 4096. The server would not start on 2 GPUs of VM.GPU.A10.2: "
            "meta-llama/Llama-2-13b-hf has 4,096 positions: vLLM refuses a longer sequence.",
        ),
        (
            "serving: {fallback_shapes: [VM.GPU.A10.1]}\n",
            "bad.yaml:3: serving.fallback_shapes[0]: found 'VM.GPU.A10.1' (str); allowed: a shape "
            "that serves 4,096 tokens. The server would not start on 1 GPU of VM.GPU.A10.1: the "
            "weights take 26.0 GB of each GPU, of which vLLM gets 21.3 GB; the cheapest that "
            "serves it is VM.GPU.A10.2.",
        ),
        (
            "serving: {tensor_parallel: 1}\n",
            "bad.yaml:3: serving.tensor_parallel: found 1 (int); allowed: 2, of the 2 GPUs of "
            "VM.GPU.A10.2. The server would not start on 1 GPU of VM.GPU.A10.2: the weights take "
            "26.0 GB of each GPU, of which vLLM gets 21.3 GB.",
        ),
        (
            "model: Qwen/Qwen2.5-7B\nserving: {shape: BM.GPU.A10.4, tensor_parallel: 3}\n",
            "bad.yaml:4: serving.tensor_parallel: found 3 (int); allowed: 4, of the 4 GPUs of "
            "BM.GPU.A10.4. The server would not start on 3 GPUs of BM.GPU.A10.4: 28 heads can't be "
            "shared by 3 GPUs.",
        ),
    ],
)
def test_a_server_that_can_not_start_is_refused(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(tmp_path, monkeypatch, text) == [expected]


def test_arguments_of_vllm_count_or_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 13b on one A10, loaded with quantized weights that something else made: nothing is known.
    text = "serving: {shape: VM.GPU.A10.1, extra_args: [--quantization=awq]}\n"
    assert plan(tmp_path, text).max_model_len == 4096
    [told] = refused(
        tmp_path, monkeypatch, "serving: {extra_args: [--gpu-memory-utilization, '0.5']}\n"
    )
    assert "the weights take 13.0 GB of each GPU, of which vLLM gets 11.8 GB" in told


def test_the_low_end_of_the_range_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is expected not to fit, but may, is left to plan and preflight."""

    def total(batch_size: int) -> Range:
        return training_memory(model("13b"), Training(batch_size=batch_size), 12).total

    sizes = range(1, 64)
    doubtful = next(size for size in sizes if total(size).expected > A10_2.gpu_memory)
    hopeless = next(size for size in sizes if total(size).low > A10_2.gpu_memory)
    assert total(doubtful).low < A10_2.gpu_memory
    assert plan(tmp_path, f"finetune: {{batch_size: {doubtful}}}\n").batch_size == doubtful
    [told] = refused(tmp_path, monkeypatch, f"finetune: {{batch_size: {hopeless}}}\n")
    assert "with finetune.batch_size 1, " in told


@pytest.mark.parametrize(
    ("preset", "fields", "rule", "planned"),
    [
        ("13b", "", 9, 3),
        ("7b", "", 5, 7),
        ("7b", "recipe: llama-recipes", 5, 4),
    ],
)
def test_where_rule_and_plan_part_ways(
    preset: str, fields: str, rule: int, planned: int, tmp_path: Path
) -> None:
    """The A10s that tenancies/example.yaml and sizes name."""
    found = tenancy(tmp_path, f"model: {preset}\nfinetune: {{{fields}}}\n")
    assert replicas_by_name(preset, "VM.GPU.A10.1") == rule
    one = GPU_SHAPES["VM.GPU.A10.1"]
    assert fewest_replicas(model(preset), training_of(found), one) == planned
