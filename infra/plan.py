"""The tenancy's wishes with every default filled in that follows from another field.

The definitions, the policies and the storage read these, so that they can't disagree.
"""

import hashlib
import re
from dataclasses import dataclass

from infra.tenancy.schema import Tenancy
from infra.tenancy.sized import (
    Method,
    batch_size_of,
    epochs_of,
    max_model_len_of,
    merge_disk_of,
    method_of,
    stage_disk_of,
    tensor_parallel_of,
    training_disk_of,
)
from infra.tenancy.sizes import PRESETS, TUTORIAL_STORAGE_GB, hugging_face_id
from infra.tenancy.tables import GPU_SHAPES, SHAPES
from infra.tenancy.training import replicas_of, rows_of_a_step
from sizing.disk import Disk

ACTIVE_CONDA = "pytorch28_p312_gpu_x86_64_v1"
"""Python 3.12, PyTorch 2.8: what Oracle offers to every tenancy."""
TUTORIAL_CONDA = "pytorch20_p39_gpu_v2"
"""Python 3.9: deprecated, and hidden from tenancies that did not use it before."""

LEDGER_PREFIX = "ledger"
"""Folder of the bucket that mirrors the runner's ledger: one below it for each tenancy file."""

_LEARNING_RATE: dict[Method, float] = {"lora": 1e-4, "full": 1e-5}
# OCI gives a flexible shape 1 Gbps of network an OCPU, which is what copying a model takes.
_STAGE_OCPUS = 4
_GB_PER_OCPU = 16
_TUTORIAL_DATASET = "samsum"
# GB, where nothing is known of the model.
_STAGE_STORAGE_GB = 100


@dataclass(frozen=True)
class Plan:
    """What the jobs will do. Prefixes are folders of the bucket, without slashes at the ends."""

    model_id: str
    """Hugging Face id of the base model."""
    slug: str
    """Short name for objects and metrics: ``llama2-13b``."""
    dataset: str
    """Short name of the data set: ``samsum``."""
    method: Method
    replicas: int
    epochs: int | None
    """None where the training is measured in steps."""
    batch_size: int
    learning_rate: float
    conda: str
    """The environment that trains."""
    own_conda: str
    """The environment of our own recipes: what stages and merges, whichever recipe trains."""
    tensor_parallel: int
    max_model_len: int
    stage_size: tuple[int, int] | None
    """OCPUs and memory in GB of the staging node; None where its shape fixes them."""
    stage_storage_gb: int
    finetune_storage_gb: int
    """Of each node."""
    merge_storage_gb: int
    bucket: str
    home_region: str
    base_prefix: str
    """Where the base model is staged."""
    data_prefix: str
    """Where the data set is staged."""
    outputs_prefix: str
    """Where the fine-tuning leaves its weights."""
    checkpoints_prefix: str
    """Where it keeps what it would go on from: a folder for each way to train, since a training
    goes on only with the settings that it began with."""
    merged_prefix: str
    """Where the merged model lies, which the model catalog refers to."""


def plan_for(tenancy: Tenancy) -> Plan:
    """Resolve the tenancy. Every field of the result has a value."""
    finetune = tenancy.finetune
    method = method_of(tenancy)
    slug = _slug(tenancy.model)
    dataset = _plain(tenancy.dataset.rpartition("/")[2])
    outputs = _outputs_prefix(tenancy.model, slug, method, dataset)
    ours = finetune.recipe == "sft"
    conda = finetune.conda or (ACTIVE_CONDA if ours else TUTORIAL_CONDA)
    learning_rate = finetune.learning_rate or _LEARNING_RATE[method]
    epochs = epochs_of(tenancy)
    way = _way(tenancy, method, epochs, rows_of_a_step(tenancy), learning_rate)
    replicas = _replicas(tenancy)
    return Plan(
        model_id=hugging_face_id(tenancy.model),
        slug=slug,
        dataset=dataset,
        method=method,
        replicas=replicas,
        epochs=epochs,
        batch_size=batch_size_of(tenancy),
        learning_rate=learning_rate,
        conda=conda,
        own_conda=conda if ours else ACTIVE_CONDA,
        tensor_parallel=tensor_parallel_of(tenancy, GPU_SHAPES[tenancy.serving.shape]),
        max_model_len=max_model_len_of(tenancy),
        stage_size=_stage_size(tenancy),
        stage_storage_gb=tenancy.stage.block_storage_gb
        or _recommended(stage_disk_of(tenancy), _STAGE_STORAGE_GB),
        finetune_storage_gb=finetune.block_storage_gb
        or _gpu_storage(tenancy, training_disk_of(tenancy, replicas)),
        merge_storage_gb=tenancy.merge.block_storage_gb
        or _gpu_storage(tenancy, merge_disk_of(tenancy)),
        bucket=tenancy.bucket or f"{tenancy.prefix}-models",
        home_region=tenancy.home_region or tenancy.region,
        base_prefix=f"base/{slug}",
        data_prefix=f"data/{dataset}",
        outputs_prefix=outputs,
        checkpoints_prefix=f"checkpoints/{outputs}/{way}",
        merged_prefix=f"merged/{outputs}",
    )


def _replicas(tenancy: Tenancy) -> int:
    found = replicas_of(tenancy)
    if found is None:  # the loader refuses such a file
        raise ValueError(f"{tenancy.model}: finetune.replicas is needed")
    return found


def _gpu_storage(tenancy: Tenancy, disk: Disk | None) -> int:
    """GB for a node with GPUs: as much as the tutorial's have, or more, in the tutorial's cases."""
    found = _recommended(disk, TUTORIAL_STORAGE_GB)
    return max(found, TUTORIAL_STORAGE_GB) if tenancy.model in PRESETS else found


def _recommended(disk: Disk | None, usual: int) -> int:
    return disk.recommended_gb if disk else usual


def _way(tenancy: Tenancy, *more: object) -> str:
    """A short name for all that makes a training this one and no other.

    Not among it: how often it logs and saves, what spares memory, and on how many nodes the same
    global batch is computed.
    """
    finetune = tenancy.finetune
    settings = (
        *(tenancy.model, tenancy.model_revision, tenancy.dataset, tenancy.dataset_revision),
        *(finetune.max_steps, finetune.max_length, finetune.packing, finetune.precision),
        *(finetune.seed, finetune.extra_args),
        *more,
    )
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:8]


def _stage_size(tenancy: Tenancy) -> tuple[int, int] | None:
    stage = tenancy.stage
    if not SHAPES[stage.shape].flexible:
        return None
    ocpus = stage.ocpus or _STAGE_OCPUS
    return ocpus, stage.memory_gb or ocpus * _GB_PER_OCPU


def _slug(model: str) -> str:
    return f"llama2-{model}" if model in PRESETS else _plain(model.rpartition("/")[2])


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _outputs_prefix(model: str, slug: str, method: Method, dataset: str) -> str:
    name = f"llama2-ft-{method}-{model}" if model in PRESETS else f"{slug}-ft-{method}"
    return name if dataset == _TUTORIAL_DATASET else f"{name}-{dataset}"
