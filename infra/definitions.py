"""The job definitions, in ADS's own YAML, with Terraform filling in what only it knows.

Each is a Python dict whose leaves may be CDKTF tokens; ``render`` dumps it to the text that
``ads opctl run -f`` takes unchanged. ADS drops keys that it does not know without a word, so the
spelling here is checked by tests that read every definition back through ADS.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from infra.plan import Plan
from infra.recipes import MOUNT as RECIPES
from infra.tenancy.schema import Tenancy

Definition = dict[str, Any]

GIT_URL = "https://github.com/facebookresearch/llama-recipes.git"
GIT_COMMIT = "1aecd00924738239f8d86f342b36bacad180d2b3"
"""2023-10-16, the last state of ``examples/finetuning.py`` that Oracle's page pins; the path was
removed in March 2024."""

OUTPUTS = "outputs"
MERGED = "merged"
OUTPUT_FOLDER = "/home/datascience/outputs"

# The tutorial's list, held at the releases of that commit's date, on Python 3.9. Unpinned, it
# resolves and dies at import: transformers asks for a newer PyTorch than the environment has, and
# datasets of that time can't load pyarrow 15 and later.
PIP_PACKAGES = (
    "'accelerate==0.23.0'",
    "appdirs",
    "loralib",
    "bitsandbytes==0.39.1",
    "black",
    "'black[jupyter]'",
    "'datasets==2.14.5'",
    "fire",
    "'peft==0.5.0'",
    "--extra-index-url",
    "https://download.pytorch.org/whl/cu118",
    "'llama-recipes==0.0.1'",
    "'transformers==4.33.3'",
    "'pyarrow<15'",
    "'numpy<2'",
    "'sentencepiece==0.1.99'",
    "py7zr",
    "scipy",
    "optimum",
)

LIBRARY_PATH = "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/opt/conda/lib"
SERVER_PORT = 8080
PREDICT_ENDPOINT = "/v1/completions"
SERVED_MODEL_NAME = "odsc-llm"


@dataclass(frozen=True)
class Places:
    """What Terraform made, as the definitions name it: OCIDs and names, tokens mostly."""

    project_id: str
    subnet_id: str
    log_group_id: str
    job_log_id: str
    predict_log_id: str
    access_log_id: str
    bucket: str
    namespace: str
    vault_id: str


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
    runtime = {
        **_git(),
        "command": " ".join(_finetune_command(tenancy, plan)),
        "replicas": plan.replicas,
        **_environment(tenancy),
        "env": _finetune_env(tenancy, plan, places),
        "maximumRuntimeInMinutes": settings.max_runtime_minutes,
    }
    mounts = [_mount(RECIPES, RECIPES, places)]
    if plan.method == "lora":
        mounts.insert(0, _mount(OUTPUTS, plan.outputs_prefix, places))
    else:
        # Shards are written by all ranks at once, which a mounted bucket does not take: they go to
        # the node's disk, and the driver copies them when the run has ended.
        runtime["outputDir"] = OUTPUT_FOLDER
        runtime["outputUri"] = _uri(plan.outputs_prefix, places)
    infrastructure = _infrastructure(
        tenancy, places, shape=settings.shape, storage_gb=settings.block_storage_gb, mounts=mounts
    )
    return _job(_job_name(tenancy, plan), infrastructure, runtime, tenancy)


def merge(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The one-node job that makes one Hugging Face model of base and weights (ADS ``Job``).

    It uses the training's runtime, the only one of ADS that has ``dependencies``; its driver runs
    a command that is no launcher (torchrun, …) plainly.
    """
    source = "--adapter" if plan.method == "lora" else "--fsdp-checkpoint"
    command = [
        "python",
        f"/mnt/{RECIPES}/with_hf_token.py",
        f"/mnt/{RECIPES}/merge.py",
        "--base-model",
        plan.model_id,
        source,
        f"/mnt/{OUTPUTS}",
        "--output",
        f"/mnt/{MERGED}",
    ]
    runtime = {
        "command": " ".join(command),
        "replicas": 1,
        **_environment(tenancy),
        "env": _env(
            {
                "LD_LIBRARY_PATH": LIBRARY_PATH,
                "OCI_LOG_LEVEL": tenancy.finetune.log_level,
                **_token_env(tenancy, places),
            }
        ),
        "maximumRuntimeInMinutes": tenancy.merge.max_runtime_minutes,
    }
    mounts = [
        _mount(OUTPUTS, plan.outputs_prefix, places),
        _mount(MERGED, plan.merged_prefix, places),
        _mount(RECIPES, RECIPES, places),
    ]
    infrastructure = _infrastructure(
        tenancy,
        places,
        shape=tenancy.merge.shape,
        storage_gb=tenancy.merge.block_storage_gb,
        mounts=mounts,
    )
    return _job(f"{plan.slug}-merge", infrastructure, runtime, tenancy)


def model(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The catalog entry, by reference to the merged model (ADS ``DataScienceModel``)."""
    spec: Definition = {
        "compartmentId": tenancy.compartment_ocid,
        "projectId": places.project_id,
        "displayName": f"{plan.slug}-{plan.method}-samsum",
        "description": f"{plan.model_id}, fine-tuned ({plan.method}) on samsum",
        "artifact": _uri(plan.merged_prefix, places),
    }
    if tenancy.tags:
        spec["freeformTags"] = dict(tenancy.tags)
    return {"kind": "datascienceModel", "type": "datascienceModel", "spec": spec}


def deployment(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The vLLM deployment (ADS ``ModelDeployment``).

    ``modelUri`` is not in it: the model has an OCID only once it is registered.
    """
    serving = tenancy.serving
    infrastructure = {
        "kind": "infrastructure",
        "type": "datascienceModelDeployment",
        "spec": {
            "compartmentId": tenancy.compartment_ocid,
            "projectId": places.project_id,
            "shapeName": serving.shape,
            "replica": serving.replicas,
            "bandwidthMbps": serving.bandwidth_mbps,
            "accessLog": {"logGroupId": places.log_group_id, "logId": places.access_log_id},
            "predictLog": {"logGroupId": places.log_group_id, "logId": places.predict_log_id},
        },
    }
    runtime = {
        "kind": "runtime",
        "type": "container",
        "spec": {
            "image": serving.image,
            "serverPort": SERVER_PORT,
            "healthCheckPort": SERVER_PORT,
            "deploymentMode": "HTTPS_ONLY",
            "env": {
                "BASE_MODEL": plan.merged_prefix,
                "PARAMS": " ".join(_vllm_arguments(tenancy, plan)),
                "MODEL_DEPLOY_PREDICT_ENDPOINT": PREDICT_ENDPOINT,
            },
        },
    }
    spec: Definition = {
        "displayName": f"{plan.slug}-{plan.method}-samsum",
        "description": f"vLLM serving {plan.model_id}, fine-tuned on samsum",
        "infrastructure": infrastructure,
        "runtime": runtime,
    }
    if tenancy.tags:
        spec["freeformTags"] = dict(tenancy.tags)
    return {"kind": "deployment", "type": "modelDeployment", "spec": spec}


def _job(
    name: str, infrastructure: Definition, runtime: Definition, tenancy: Tenancy
) -> Definition:
    if tenancy.tags:
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
    if tenancy.model in ("7b", "13b"):
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


def _git() -> Definition:
    return {"git": {"url": GIT_URL, "commit": GIT_COMMIT}}


def _environment(tenancy: Tenancy) -> Definition:
    return {
        "conda": {"type": "service", "slug": tenancy.finetune.conda},
        "dependencies": {"pipPackages": " ".join(PIP_PACKAGES)},
    }


def _finetune_command(tenancy: Tenancy, plan: Plan) -> list[str]:
    settings = tenancy.finetune
    command = ["torchrun", f"/mnt/{RECIPES}/with_hf_token.py", "examples/finetuning.py"]
    command += ["--enable_fsdp"]
    if plan.method == "lora":
        command += ["--use_peft", "--peft_method lora"]
    command += ["--pure_bf16"]
    if plan.method == "lora":
        command += ["--mixed_precision"]
    command += [f"--batch_size_training {plan.batch_size}"]
    if plan.method == "lora":
        command += [f"--model_name {plan.model_id}", f"--output_dir /mnt/{OUTPUTS}"]
        command += [f"--num_epochs {settings.epochs}", "--save_model"]
    else:
        command += ["--model_name $MODEL_NAME", f"--num_epochs {settings.epochs}"]
        command += [f"--dist_checkpoint_root_folder {OUTPUT_FOLDER}"]
        command += ["--dist_checkpoint_folder fine-tuned"]
    # The dataset that the script knows by the name of samsum is gone from Hugging Face.
    command += ["--dataset custom_dataset"]
    command += [f"--custom_dataset.file /mnt/{RECIPES}/samsum_dataset.py"]
    return [*command, *settings.extra_args]


def _finetune_env(tenancy: Tenancy, plan: Plan, places: Places) -> list[Definition]:
    variables = {
        "LD_LIBRARY_PATH": LIBRARY_PATH,
        # At DEBUG the driver logs this whole list; that is why no secret is in it.
        "OCI_LOG_LEVEL": tenancy.finetune.log_level,
        **_token_env(tenancy, places),
        "OCI__METRICS_NAMESPACE": f"finetune_{plan.slug.replace('-', '_').replace('.', '_')}",
    }
    if plan.method == "full":
        variables = {"MODEL_NAME": plan.model_id, **variables}
    return _env(variables)


def _token_env(tenancy: Tenancy, places: Places) -> dict[str, str]:
    return {
        "HF_TOKEN_SECRET_NAME": tenancy.vault.secret_name,
        "HF_TOKEN_VAULT_ID": places.vault_id,
    }


def _env(variables: dict[str, str]) -> list[Definition]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _vllm_arguments(tenancy: Tenancy, plan: Plan) -> list[str]:
    return [
        f"--served-model-name {SERVED_MODEL_NAME}",
        f"--max-model-len {tenancy.serving.max_model_len}",
        f"--tensor-parallel-size {plan.tensor_parallel}",
        *tenancy.serving.extra_args,
    ]


def _mount(name: str, prefix: str, places: Places) -> Definition:
    return {"src": _uri(prefix, places), "dest": name}


def _uri(prefix: str, places: Places) -> str:
    return f"oci://{places.bucket}@{places.namespace}/{prefix}/"
