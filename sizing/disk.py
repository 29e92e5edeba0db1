"""What a job needs of its node's block storage.

A node's block storage is its user's home: the conda environment is unpacked there, packages are
installed there, and what a recipe writes before it goes to the bucket lies there. OCI gives a job
50 to 10,240 GB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .models import Model
from .training import Training

MOST_GB = 10_240
"""Of a job's block storage. Source: OCI's API, ``blockStorageSizeInGBs``."""

# GB. Allowances, not measured in OCI: PyTorch with CUDA's libraries is some 7 GB installed, and
# Oracle's environments hold much more than that; the archive lies beside it while it is unpacked.
_ENVIRONMENT = 20
# Of the recipe sft: transformers, peft, datasets with pyarrow. llama-recipes has a PyTorch of its
# own installed, with CUDA's libraries, and pip's downloads beside it.
_PACKAGES = {"sft": 1, "llama-recipes": 10}
_LOGS = 1
# A data set from the hub, Arrow's copy of it, and the JSON lines that are made of it.
_DATASET = 20
# Bytes of a number: of the published files, and of a checkpoint of ours, which keeps a trained
# weight and AdamW's two moments in fp32.
_STORED = 2
_FP32 = 4
_CHECKPOINT = 3 * _FP32
# The largest file that a model is usually cut into, in GB.
_SHARD = 10

_SPARE = 1.2
_STEP_GB = 50
# Less is not recommended: what the environment takes is an allowance, and a GB is a few cents a
# month.
_FLOOR_GB = 100


@dataclass(frozen=True)
class Disk:
    """*gb* is what is needed, *recommended_gb* what to ask for; *why* has the parts."""

    gb: float
    recommended_gb: int
    why: str


def training_disk(model: Model, training: Training, nodes: int = 1) -> Disk:
    """Of each node that trains: of *nodes* that share checkpoints and output evenly.

    The recipe sft writes its ranks' parts of a checkpoint to disk, uploads and deletes them; what
    a run has gone on from stays until its end. The output goes the same way, last. llama-recipes
    writes a full model's shards to the node's disk, over those of the epoch before, and ADS's
    driver copies them at the end.
    """
    trained = _trained(model, training)
    parts = [*_environment(training.recipe), _base(model), ("logs", float(_LOGS))]
    if training.recipe == "sft":
        checkpoint = _gb(trained, _CHECKPOINT) / nodes
        parts.append(("the checkpoint that is gone on from", checkpoint))
        parts.append(("the one that is being written", max(checkpoint, _output(model, training))))
    else:
        share = nodes if training.method == "full" else 1
        parts.append(("the output", _gb(trained, _STORED) / share))
    return _disk(parts)


def merge_disk(model: Model, training: Training) -> Disk:
    """Of the node that merges: base, training's output and merged model pass through it, the last
    one file at a time; then the merged one is read once more for the smoke test."""
    whole = _gb(model.parameters, _STORED)
    parts = [
        *_environment("sft"),
        _base(model),
        ("the training's output", _output(model, training)),
        ("one file of the merged model", min(whole, _SHARD)),
        ("the merged model, read again", whole),
        ("logs", float(_LOGS)),
    ]
    return _disk(parts)


def stage_disk(model: Model) -> Disk:
    """Of the node that stages. The model does not lie on it: it passes in parts, in memory."""
    del model
    return _disk([*_environment("sft"), ("the data set", float(_DATASET)), ("logs", float(_LOGS))])


def _environment(recipe: str) -> list[tuple[str, float]]:
    return [
        ("the conda environment", float(_ENVIRONMENT)),
        ("packages", float(_PACKAGES[recipe])),
    ]


def _base(model: Model) -> tuple[str, float]:
    """A mounted bucket may keep on disk what was read of it: all of the base model, at worst."""
    return "the base model, as it is read", _gb(model.parameters, _STORED)


def _trained(model: Model, training: Training) -> int:
    if training.method == "full":
        return model.parameters
    return model.lora_parameters(training.lora_rank, training.lora_targets)


def _output(model: Model, training: Training) -> float:
    """GB: an adapter in fp32, a full model in the type that was computed in."""
    stored = _FP32 if training.method == "lora" or training.precision == "fp32" else _STORED
    return _gb(_trained(model, training), stored)


def _disk(parts: Sequence[tuple[str, float]]) -> Disk:
    total = sum(gigabytes for _, gigabytes in parts)
    stepped = math.ceil(total * _SPARE / _STEP_GB) * _STEP_GB
    why = ", ".join(f"{name} {gigabytes:,.1f} GB" for name, gigabytes in parts)
    return Disk(total, min(max(stepped, _FLOOR_GB), MOST_GB), why)


def _gb(numbers: float, bytes_each: int) -> float:
    return numbers * bytes_each / 1e9
