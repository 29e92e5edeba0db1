"""The catalog entry and the deployment, as ADS's YAML."""

from typing import Any

from infra.places import Places
from infra.plan import Plan
from infra.tenancy.schema import Tenancy

SERVER_PORT = 8080
PREDICT_ENDPOINT = "/v1/completions"
"""The path of vLLM's server that ``/predict`` of the deployment leads to."""
SERVED_MODEL_NAME = "odsc-llm"
"""The name that Oracle's containers serve under; a request has to give it."""
SHARED_MEMORY = "10g"
"""Of the container, where several GPUs share the model: by it NCCL and vLLM's workers talk, and a
container's usual 64 MB are too few. Source: Oracle's samples for vLLM on several GPUs."""


def model(tenancy: Tenancy, plan: Plan, places: Places) -> dict[str, Any]:
    """The catalog entry, by reference to the merged model (ADS ``DataScienceModel``)."""
    spec: dict[str, Any] = {
        "compartmentId": tenancy.compartment_ocid,
        "projectId": places.project_id,
        "displayName": _display_name(plan),
        "description": f"{plan.model_id}, fine-tuned ({plan.method}) on {plan.dataset}",
        "artifact": places.uri(plan.merged_prefix),
    }
    if tenancy.tags:
        spec["freeformTags"] = dict(tenancy.tags)
    return {"kind": "datascienceModel", "type": "datascienceModel", "spec": spec}


def deployment(tenancy: Tenancy, plan: Plan, places: Places) -> dict[str, Any]:
    """The vLLM deployment (ADS ``ModelDeployment``).

    ``modelUri`` is not in it: the model has an OCID only once it is registered.
    """
    spec: dict[str, Any] = {
        "displayName": _display_name(plan),
        "description": f"vLLM serving {plan.model_id}, fine-tuned on {plan.dataset}",
        "infrastructure": _infrastructure(tenancy, places),
        "runtime": _runtime(tenancy, plan),
    }
    if tenancy.tags:
        spec["freeformTags"] = dict(tenancy.tags)
    return {"kind": "deployment", "type": "modelDeployment", "spec": spec}


def _display_name(plan: Plan) -> str:
    return f"{plan.slug}-{plan.method}-{plan.dataset}"


def _infrastructure(tenancy: Tenancy, places: Places) -> dict[str, Any]:
    serving = tenancy.serving
    spec = {
        "compartmentId": tenancy.compartment_ocid,
        "projectId": places.project_id,
        "shapeName": serving.shape,
        "replica": serving.replicas,
        "bandwidthMbps": serving.bandwidth_mbps,
        "accessLog": {"logGroupId": places.log_group_id, "logId": places.access_log_id},
        "predictLog": {"logGroupId": places.log_group_id, "logId": places.predict_log_id},
    }
    return {"kind": "infrastructure", "type": "datascienceModelDeployment", "spec": spec}


def _runtime(tenancy: Tenancy, plan: Plan) -> dict[str, Any]:
    spec = {
        "image": tenancy.serving.image,
        "serverPort": SERVER_PORT,
        "healthCheckPort": SERVER_PORT,
        # ADS wants strings. BASE_MODEL is the model's folder inside the mounted artifact, which
        # for a model by reference is its prefix in the bucket.
        "env": {
            "BASE_MODEL": plan.merged_prefix,
            "PARAMS": _vllm_arguments(tenancy, plan),
            "MODEL_DEPLOY_PREDICT_ENDPOINT": PREDICT_ENDPOINT,
            **({"SHM_SIZE": SHARED_MEMORY} if plan.tensor_parallel > 1 else {}),
        },
    }
    return {"kind": "runtime", "type": "container", "spec": spec}


def _vllm_arguments(tenancy: Tenancy, plan: Plan) -> str:
    words = [
        f"--served-model-name {SERVED_MODEL_NAME}",
        f"--max-model-len {plan.max_model_len}",
        f"--tensor-parallel-size {plan.tensor_parallel}",
        *tenancy.serving.extra_args,
    ]
    return " ".join(words)
