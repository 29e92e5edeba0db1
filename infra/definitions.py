"""The job definitions, in ADS's own YAML, with Terraform filling in what only it knows.

Each is a Python dict whose leaves may be CDKTF tokens; ``render`` dumps it to the text that
``ads opctl run -f`` takes unchanged. ADS drops keys that it does not know without a word, so the
spelling here is checked by tests that read every definition back through ADS.
"""

from typing import Any

import yaml

from infra.llama_recipes import (
    GIT_COMMIT,
    GIT_URL,
    OUTPUT_FOLDER,
    PIP_PACKAGES,
    finetune_command,
    merge_command,
)
from infra.places import Places
from infra.plan import Plan
from infra.recipes import MOUNT
from infra.serving import deployment, model
from infra.tenancy.schema import Tenancy
from infra.tenancy.sizes import PRESETS

Definition = dict[str, Any]

LIBRARY_PATH = "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/opt/conda/lib"


def definitions(tenancy: Tenancy, plan: Plan, places: Places) -> dict[str, str]:
    """File name → YAML text of every definition."""
    return {
        "finetune.yaml": render(finetune(tenancy, plan, places)),
        "merge.yaml": render(merge(tenancy, plan, places)),
        "model.yaml": render(model(tenancy, plan, places)),
        "deployment.yaml": render(deployment(tenancy, plan, places)),
    }


def render(definition: Definition) -> str:
    """YAML in the order it was written in; no line is folded, since a token may stand in it."""
    return yaml.safe_dump(definition, sort_keys=False, width=2**20, allow_unicode=True)


def finetune(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The distributed training job (ADS ``Job``)."""
    settings = tenancy.finetune
    runtime: Definition = {
        "git": {"url": GIT_URL, "commit": GIT_COMMIT},
        "command": finetune_command(settings, plan),
        "replicas": plan.replicas,
        **_environment(tenancy),
        "env": _finetune_env(tenancy, plan, places),
        "maximumRuntimeInMinutes": settings.max_runtime_minutes,
    }
    mounts = [_mount(MOUNT, MOUNT, places)]
    if plan.method == "lora":
        mounts.insert(0, _mount("outputs", plan.outputs_prefix, places))
    else:
        # Shards are written by all ranks at once, which a mounted bucket does not take: they go to
        # the node's disk, and the driver copies them when the run has ended.
        runtime["outputDir"] = OUTPUT_FOLDER
        runtime["outputUri"] = places.uri(plan.outputs_prefix)
    infrastructure = _infrastructure(
        tenancy, places, shape=settings.shape, storage_gb=settings.block_storage_gb, mounts=mounts
    )
    return _job(_job_name(tenancy, plan), infrastructure, runtime, tenancy)


def merge(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The one-node job that makes one Hugging Face model of base and weights (ADS ``Job``).

    It uses the training's runtime, the only one of ADS that has ``dependencies``; its driver runs
    a command that is no launcher (torchrun, …) plainly.
    """
    runtime: Definition = {
        "command": merge_command(plan),
        "replicas": 1,
        **_environment(tenancy),
        "env": _env({**_common_env(tenancy), **_token_env(tenancy, places)}),
        "maximumRuntimeInMinutes": tenancy.merge.max_runtime_minutes,
    }
    mounts = [
        _mount("outputs", plan.outputs_prefix, places),
        _mount("merged", plan.merged_prefix, places),
        _mount(MOUNT, MOUNT, places),
    ]
    infrastructure = _infrastructure(
        tenancy,
        places,
        shape=tenancy.merge.shape,
        storage_gb=tenancy.merge.block_storage_gb,
        mounts=mounts,
    )
    return _job(f"{plan.slug}-merge", infrastructure, runtime, tenancy)


def _job(
    name: str, infrastructure: Definition, runtime: Definition, tenancy: Tenancy
) -> Definition:
    if tenancy.tags:
        # Of the runtime, not of the infrastructure, whose tags ADS loses if there are both.
        runtime = {**runtime, "freeformTags": dict(tenancy.tags)}
    return {
        "kind": "job",
        "apiVersion": "v1.0",
        "spec": {
            "name": name,
            "infrastructure": infrastructure,
            "runtime": {"kind": "runtime", "type": "pyTorchDistributed", "spec": runtime},
        },
    }


def _job_name(tenancy: Tenancy, plan: Plan) -> str:
    if tenancy.model in PRESETS:
        return f"LLAMA2-Fine-Tuning-{plan.method}-samsum-{tenancy.model}"
    return f"{plan.slug}-Fine-Tuning-{plan.method}-samsum"


def _infrastructure(
    tenancy: Tenancy, places: Places, *, shape: str, storage_gb: int, mounts: list[Definition]
) -> Definition:
    return {
        "kind": "infrastructure",
        "type": "dataScienceJob",
        "spec": {
            "blockStorageSize": storage_gb,
            "compartmentId": tenancy.compartment_ocid,
            "logGroupId": places.log_group_id,
            "logId": places.job_log_id,
            "projectId": places.project_id,
            "subnetId": places.subnet_id,
            "shapeName": shape,
            "storageMount": mounts,
        },
    }


def _environment(tenancy: Tenancy) -> Definition:
    return {
        "conda": {"type": "service", "slug": tenancy.finetune.conda},
        "dependencies": {"pipPackages": " ".join(PIP_PACKAGES)},
    }


def _finetune_env(tenancy: Tenancy, plan: Plan, places: Places) -> list[Definition]:
    metrics = f"finetune_{plan.slug.replace('-', '_')}"
    variables = {
        **_common_env(tenancy),
        **_token_env(tenancy, places),
        "OCI__METRICS_NAMESPACE": metrics,
    }
    if plan.method == "full":
        variables = {"MODEL_NAME": plan.model_id, **variables}
    return _env(variables)


def _common_env(tenancy: Tenancy) -> dict[str, str]:
    # At DEBUG the driver logs the whole environment; that is why no secret is in it.
    return {"LD_LIBRARY_PATH": LIBRARY_PATH, "OCI_LOG_LEVEL": tenancy.finetune.log_level}


def _token_env(tenancy: Tenancy, places: Places) -> dict[str, str]:
    return {
        "HF_TOKEN_SECRET_NAME": tenancy.vault.secret_name,
        "HF_TOKEN_VAULT_ID": places.vault_id,
    }


def _env(variables: dict[str, str]) -> list[Definition]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _mount(name: str, prefix: str, places: Places) -> Definition:
    return {"src": places.uri(prefix), "dest": name}
