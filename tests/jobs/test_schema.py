"""The schema knows exactly what ADS reads; and what the stacks emit is in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.definitions import definitions
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from jobs.checks import PIPELINE, SCHEMA, check
from jobs.definitions import FILES, KINDS

DEFINITIONS = json.loads(SCHEMA.read_text())["$defs"]
PLACES = Places(
    project_id="ocid1.datascienceproject.oc1.eu-frankfurt-1.p",
    subnet_id="ocid1.subnet.oc1.eu-frankfurt-1.s",
    log_group_id="ocid1.loggroup.oc1.eu-frankfurt-1.g",
    job_log_id="ocid1.log.oc1.eu-frankfurt-1.j",
    predict_log_id="ocid1.log.oc1.eu-frankfurt-1.p",
    access_log_id="ocid1.log.oc1.eu-frankfurt-1.a",
    bucket="demo-bucket",
    namespace="ocimock",
    vault_id="ocid1.vault.oc1.eu-frankfurt-1.v",
)
OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy
compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment
region: eu-frankfurt-1
home_region: us-ashburn-1
"""


def _keys(name: str) -> set[str]:
    return set(DEFINITIONS[name]["properties"])


def test_the_schema_has_the_keys_that_ads_reads() -> None:
    """Where it has fewer, each is left out for a reason; it may never have more."""
    from ads.jobs import DataScienceJob, PyTorchDistributedRuntime
    from ads.jobs.builders.runtimes.python_runtime import GitPythonRuntime
    from ads.model.datascience_model import DataScienceModel
    from ads.model.deployment import (
        ModelDeploymentContainerRuntime,
        ModelDeploymentInfrastructure,
    )

    read = {
        "jobInfrastructure": set(DataScienceJob.attribute_map),
        "pyTorchRuntime": {
            *PyTorchDistributedRuntime.attribute_map,
            "command", "replicas", "git", "inputs", "dependencies", "deepspeed",
            "maximumRuntimeInMinutes",
        },
        "deploymentInfrastructure": set(ModelDeploymentInfrastructure.attribute_map),
        "deploymentRuntime": set(ModelDeploymentContainerRuntime.attribute_map),
    }  # fmt: skip
    for name, keys in read.items():
        assert _keys(name) <= keys, name

    git = {value for name, value in vars(GitPythonRuntime).items() if name.startswith("CONST_")}
    assert set(DEFINITIONS["pyTorchRuntime"]["properties"]["git"]["properties"]) <= git
    model = DEFINITIONS["datascienceModel"]["properties"]["spec"]["properties"]
    assert set(model) <= set(DataScienceModel.attribute_map)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param("", id="defaults"),
        pytest.param("model: 13b\n", id="13b LoRA"),
        pytest.param("model: 7b\nfinetune:\n  method: full\n", id="7b full-parameter"),
        pytest.param("finetune: {recipe: llama-recipes}\n", id="the tutorial's 13b"),
        pytest.param("model: 7b\nfinetune: {recipe: llama-recipes}\n", id="the tutorial's 7b"),
        pytest.param("hub: {endpoint: 'https://hub.example.com', token: false}\n", id="a mirror"),
        pytest.param("tags: {team: nlp}\n", id="with tags"),
    ],
)
def test_what_the_stacks_emit_is_in_order(extra: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(OCIDS + extra)
    tenancy = load(path)

    emitted: dict[str, Any] = definitions(tenancy, plan_for(tenancy), PLACES)

    assert sorted(emitted) == sorted(FILES)
    for name, text in emitted.items():
        kind = KINDS.get(name.partition(".")[0], PIPELINE)
        assert check(text, kind, set(emitted)) == [], name
