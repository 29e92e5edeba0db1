"""The tenancy's wishes with every default filled in that follows from another field.

The definitions, the policies and the storage read these, so that they can't disagree.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from infra.tenancy.schema import Tenancy
from infra.tenancy.sizes import PRESETS, billions_of, hugging_face_id
from infra.tenancy.tables import GPU_SHAPES, Shape

Method = Literal["lora", "full"]

TUTORIAL_SHAPE = "VM.GPU.A10.2"
TUTORIAL_REPLICAS = {"7b": 3, "13b": 6}
"""Nodes of the tutorial's shape. Its text says 2 for 7b, but by its own memory rule, and in
Oracle's present 7b definition, it takes 3."""

# Oracle's rule of thumb: GPU memory of 4 times the model in full precision (4 bytes a parameter).
_FULL_PRECISION_BYTES = 4
_MEMORY_FACTOR = 4


@dataclass(frozen=True)
class Plan:
    """What the jobs will do. Prefixes are folders of the bucket, without slashes at the ends."""

    model_id: str
    """Hugging Face id of the base model."""
    slug: str
    """Short name for objects and metrics: ``llama2-13b``."""
    method: Method
    replicas: int
    batch_size: int
    tensor_parallel: int
    bucket: str
    home_region: str
    outputs_prefix: str
    """Where the fine-tuning leaves its weights."""
    merged_prefix: str
    """Where the merged model lies, which the model catalog refers to."""


def plan_for(tenancy: Tenancy) -> Plan:
    """Resolve the tenancy. Every field of the result has a value."""
    method = method_of(tenancy)
    slug = _slug(tenancy.model)
    outputs = _outputs_prefix(tenancy.model, slug, method)
    return Plan(
        model_id=hugging_face_id(tenancy.model),
        slug=slug,
        method=method,
        replicas=tenancy.finetune.replicas or _replicas(tenancy),
        batch_size=tenancy.finetune.batch_size or (4 if method == "lora" else 1),
        tensor_parallel=tenancy.serving.tensor_parallel or GPU_SHAPES[tenancy.serving.shape].gpus,
        bucket=tenancy.bucket or f"{tenancy.prefix}-models",
        home_region=tenancy.home_region or tenancy.region,
        outputs_prefix=outputs,
        merged_prefix=f"merged/{outputs}",
    )


def method_of(tenancy: Tenancy) -> Method:
    """LoRA, but for the tutorial's 7b case, which trains every parameter."""
    return tenancy.finetune.method or ("full" if tenancy.model == "7b" else "lora")


def nodes_for(billions: float, shape: Shape) -> int:
    """Nodes whose GPUs hold the training of that many billion parameters, by Oracle's rule."""
    gigabytes = billions * _FULL_PRECISION_BYTES * _MEMORY_FACTOR
    gpus = math.ceil(gigabytes / shape.gpu_memory_gb)
    return math.ceil(gpus / shape.gpus)


def _replicas(tenancy: Tenancy) -> int:
    if tenancy.finetune.shape == TUTORIAL_SHAPE and tenancy.model in TUTORIAL_REPLICAS:
        return TUTORIAL_REPLICAS[tenancy.model]
    billions = billions_of(tenancy.model)
    if billions is None:  # the loader has refused such a file already
        raise ValueError(f"{tenancy.model}: finetune.replicas is needed")
    return nodes_for(billions, GPU_SHAPES[tenancy.finetune.shape])


def _slug(model: str) -> str:
    if model in PRESETS:
        return f"llama2-{model}"
    return re.sub(r"[^a-z0-9]+", "-", model.rpartition("/")[2].lower()).strip("-")


def _outputs_prefix(model: str, slug: str, method: Method) -> str:
    if model in PRESETS:
        return f"llama2-ft-{method}-{model}"
    return f"{slug}-ft-{method}"
