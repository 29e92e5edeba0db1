"""The tenancy's wishes with every default filled in that follows from another field.

The definitions, the policies and the storage read these, so that they can't disagree.
"""

import re
from dataclasses import dataclass
from typing import Literal

from infra.tenancy.schema import Tenancy
from infra.tenancy.sizes import PRESETS, hugging_face_id, replicas_for
from infra.tenancy.tables import GPU_SHAPES

Method = Literal["lora", "full"]


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


def _replicas(tenancy: Tenancy) -> int:
    found = replicas_for(tenancy.model, tenancy.finetune.shape)
    if found is None:  # the loader refuses such a file
        raise ValueError(f"{tenancy.model}: finetune.replicas is needed")
    return found


def _slug(model: str) -> str:
    if model in PRESETS:
        return f"llama2-{model}"
    return re.sub(r"[^a-z0-9]+", "-", model.rpartition("/")[2].lower()).strip("-")


def _outputs_prefix(model: str, slug: str, method: Method) -> str:
    if model in PRESETS:
        return f"llama2-ft-{method}-{model}"
    return f"{slug}-ft-{method}"
