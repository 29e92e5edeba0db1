"""A sharded checkpoint of torch.distributed, as full-parameter runs save it.

``recipes.sft`` and llama-recipes (at the commit that the tutorial pins) keep the model's tensors
in it under ``model``; some tools wrap once more. So the names are those of the base model behind
one common prefix, which is found, not assumed.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import BaseModel
from .errors import MergeError
from .folders import CHECKPOINT_METADATA

if TYPE_CHECKING:
    import torch


class ShardedCheckpoint:
    """The merged tensors: all out of the checkpoint in *folder*.

    Raises:
        MergeError: it is none, or of another model than *base*.
    """

    unties = False

    def __init__(self, folder: Path, base: BaseModel) -> None:
        self._folder = folder
        self._tensors = _tensors(folder)
        self._prefix = _prefix(self._tensors, base)
        self._types = {name: base.dtype(name) for name in base.names()}
        for name in base.names():
            found, expected = tuple(self._tensors[self._prefix + name].size), base.shape(name)
            if found != expected:
                raise MergeError(
                    f"{name} is {found} in the checkpoint and {expected} in the base model: "
                    "the checkpoint is of another one"
                )

    def load(self, names: Sequence[str]) -> dict[str, torch.Tensor]:
        import torch
        import torch.distributed.checkpoint as dcp

        state: dict[str, Any] = {}
        for name in names:
            known = self._tensors[self._prefix + name]
            state[self._prefix + name] = torch.empty(known.size, dtype=known.properties.dtype)
        with warnings.catch_warnings():
            # That this is one process is meant.
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            dcp.load(state, storage_reader=dcp.FileSystemReader(self._folder), no_dist=True)
        return {name: state.pop(self._prefix + name).to(self._types[name]) for name in names}

    def about(self) -> Mapping[str, Any]:
        metadata = (self._folder / CHECKPOINT_METADATA).read_bytes()
        return {
            "method": "full",
            "checkpoint": {
                "files": len(list(self._folder.glob("*.distcp"))),
                "metadata_sha256": hashlib.sha256(metadata).hexdigest(),
            },
        }


def _tensors(folder: Path) -> dict[str, Any]:
    """What the checkpoint says of its tensors, by their names in it."""
    import pickle

    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata

    try:
        known = dcp.FileSystemReader(folder).read_metadata().state_dict_metadata
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
        raise MergeError(f"{folder / CHECKPOINT_METADATA} can't be read: {error}") from None
    return {name: one for name, one in known.items() if isinstance(one, TensorStorageMetadata)}


def _prefix(found: Iterable[str], base: BaseModel) -> str:
    """What stands before the base model's names in the checkpoint."""
    names = set(found)
    wanted = base.names()
    sample = min(wanted)
    candidates = {name.removesuffix(sample) for name in names if name.endswith(sample)}
    for prefix in sorted(candidates, key=len):
        if all(prefix + name in names for name in wanted):
            return prefix
    nearest = min(candidates, default="model.", key=len)
    missing = sorted(name for name in wanted if nearest + name not in names)
    raise MergeError(
        f"the checkpoint lacks {len(missing)} of the base model's {len(wanted)} tensors, "
        f"{missing[0]} for one: it is of another model, or of a LoRA run (then give --adapter)"
    )
