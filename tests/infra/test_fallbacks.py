"""The same steps on other machines: what is tried when OCI has none of those wanted."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.definitions import definitions
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from tests.infra.synthesis import OCIDS

PLACES = Places(
    project_id="ocid1.datascienceproject.oc1.iad.p",
    subnet_id="ocid1.subnet.oc1.iad.first",
    log_group_id="ocid1.loggroup.oc1.iad.g",
    job_log_id="ocid1.log.oc1.iad.j",
    predict_log_id="ocid1.log.oc1.iad.p",
    access_log_id="ocid1.log.oc1.iad.a",
    bucket="models",
    namespace="here",
    vault_id="ocid1.vault.oc1.iad.v",
)
SUBNETS = (
    "network: {subnet_id: ocid1.subnet.oc1.iad.first, "
    "fallback_subnet_ids: [ocid1.subnet.oc1.iad.second]}\n"
)


def emitted(tmp_path: Path, text: str) -> dict[str, Any]:
    """File name → content of every definition."""
    file = tmp_path / "test.yaml"
    file.write_text(OCIDS + text)
    tenancy = load(file)
    texts = definitions(tenancy, plan_for(tenancy), PLACES)
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def steps(found: dict[str, Any]) -> dict[str, list[str]]:
    """Step → its definitions in the order in which they are tried."""
    return {each["name"]: each["definitions"] for each in found["pipeline.yaml"]["spec"]["steps"]}


def machine(found: dict[str, Any], name: str) -> tuple[str, str]:
    spec = found[name]["spec"]["infrastructure"]["spec"]
    return spec["shapeName"], spec.get("subnetId", "").rpartition(".")[2]


def runtime(found: dict[str, Any], name: str) -> Any:
    return found[name]["spec"]["runtime"]["spec"]


def argument(found: dict[str, Any], name: str, flag: str) -> str:
    words: list[str] = runtime(found, name)["command"].split()
    return words[words.index(flag) + 1]


def test_without_fallbacks_each_step_has_one_definition(tmp_path: Path) -> None:
    found = emitted(tmp_path, "")
    assert steps(found) == {
        "stage": ["stage.yaml"],
        "finetune": ["finetune.yaml"],
        "merge": ["merge.yaml"],
        "register": ["model.yaml"],
        "deploy": ["deployment.yaml"],
        "smoke": ["deployment.yaml"],
    }


def test_every_subnet_is_tried_before_another_shape(tmp_path: Path) -> None:
    found = emitted(tmp_path, SUBNETS + "finetune: {fallback_shapes: [BM.GPU.A10.4]}\n")

    assert [machine(found, name) for name in steps(found)["finetune"]] == [
        ("VM.GPU.A10.2", "first"),
        ("VM.GPU.A10.2", "second"),
        ("BM.GPU.A10.4", "first"),
        ("BM.GPU.A10.4", "second"),
    ]
    assert [machine(found, name)[1] for name in steps(found)["stage"]] == ["first", "second"]
    assert steps(found)["deploy"] == ["deployment.yaml"]  # its network is the service's own


@pytest.mark.parametrize(
    ("text", "shape", "nodes", "batch", "passes"),
    [
        # The tutorial's 6 x 2 GPUs with 4 rows each are 48 rows.
        ("", "BM.GPU.A10.4", 3, 4, 1),
        ("", "BM.GPU.H100.8", 1, 3, 2),
        ("", "VM.GPU.A10.1", 12, 4, 1),  # as many GPUs: a few would hold it, but take all day
        ("finetune: {replicas: 3, batch_size: 1, fallback_shapes: [X]}\n", "VM.GPU.A10.1", 6, 1, 1),
        (
            "finetune: {replicas: 12, batch_size: 2, gradient_accumulation: 4, "
            "fallback_shapes: [X]}\n",
            "BM.GPU4.8", 2, 2, 6,
        ),
        ("finetune: {recipe: llama-recipes, fallback_shapes: [X]}\n", "VM.GPU.A10.1", 12, 4, 1),
    ],
)  # fmt: skip
def test_another_shape_trains_the_same(
    text: str, shape: str, nodes: int, batch: int, passes: int, tmp_path: Path
) -> None:
    text = text or "finetune: {fallback_shapes: [X]}\n"
    found = emitted(tmp_path, text.replace("[X]", f"[{shape}]"))

    [first, other] = steps(found)["finetune"]
    assert machine(found, other)[0] == shape
    assert runtime(found, other)["replicas"] == nodes
    if "llama-recipes" in text:
        assert argument(found, other, "--batch_size_training") == str(batch)
        return
    assert argument(found, other, "--batch-size") == str(batch)
    assert argument(found, other, "--gradient-accumulation") == str(passes)
    # What was trained on the first shape is gone on with on the other.
    [step] = [
        each for each in found["pipeline.yaml"]["spec"]["steps"] if each["name"] == "finetune"
    ]
    for name in (first, other):
        assert argument(found, name, "--checkpoints") + "/" == step["checkpoints"]


def test_a_fallback_differs_in_its_machine_only(tmp_path: Path) -> None:
    found = emitted(tmp_path, SUBNETS + "merge: {fallback_shapes: [BM.GPU.A10.4]}\n")
    assert len(steps(found)["merge"]) == 4
    for name in steps(found)["merge"]:
        for key in ("shapeName", "subnetId"):
            del found[name]["spec"]["infrastructure"]["spec"][key]
        assert found[name] == found["merge.yaml"]


def test_a_served_model_is_shared_by_all_gpus_of_the_fallback(tmp_path: Path) -> None:
    text = "model: 7b\nserving: {fallback_shapes: [BM.GPU.A10.4, VM.GPU.A10.1]}\n"
    found = emitted(tmp_path, text)  # 13b would not fit one A10
    told = {machine(found, name)[0]: runtime(found, name)["env"] for name in steps(found)["deploy"]}
    assert [env["PARAMS"].split()[-1] for env in told.values()] == ["2", "4", "1"]
    assert ["SHM_SIZE" in env for env in told.values()] == [True, True, False]
    assert steps(found)["smoke"] == ["deployment.yaml"]


def test_what_the_tenancy_says_reaches_the_pipeline(tmp_path: Path) -> None:
    found = emitted(
        tmp_path,
        "pipeline:\n  spending_limit: 250\n  retries: 3\n  capacity_wait_minutes: 30\n"
        "  question: 'costs ${5} and %{x}'\n",
    )["pipeline.yaml"]["spec"]

    assert found["spendingLimit"] == 250
    assert found["question"] == "costs $${5} and %%{x}"  # as Terraform reads it
    assert found["ledger"] == "oci://models@here/ledger/test/"
    assert {step["retries"] for step in found["steps"]} == {3}
    waits = [step["name"] for step in found["steps"] if step.get("capacityMinutes") == 30]
    assert waits == ["stage", "finetune", "merge", "deploy"]


def test_no_limit_and_no_checkpoints_are_not_written(tmp_path: Path) -> None:
    found = emitted(tmp_path, "finetune: {recipe: llama-recipes}\n")["pipeline.yaml"]["spec"]
    assert "spendingLimit" not in found
    assert not [step for step in found["steps"] if "checkpoints" in step]
