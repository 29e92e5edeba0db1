"""A LoRA adapter as peft saves it: what it does to which tensor of the base model.

Sources: ``peft.tuners.lora`` 0.18 for how weights, ranks and scales are named and multiplied, and
peft 0.5, of the tutorial's packages, which saves ``adapter_model.bin``.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import BaseModel
from .errors import MergeError
from .folders import ADAPTER_CONFIG

if TYPE_CHECKING:
    import torch

_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_PREFIX = "base_model.model."
_HEAD = "lm_head.weight"
_LOW_RANK = re.compile(r"(.+)\.lora_(embedding_)?([AB])(?:\.weight)?")
# Beside low-rank weights: whole parameters that were trained, wrapped by peft or not.
_WHOLE = re.compile(r"(.+?)(?:\.base_layer|\.modules_to_save(?:\.\w+)?)?\.(weight|bias)")
_WRAPPED_ORIGINAL = ".original_module."

# What changes the formula; none of it is in what the fine-tunings here save.
_UNKNOWN_SETTINGS = {
    "use_dora": "DoRA",
    "lora_bias": "biases of LoRA's own",
    "use_qalora": "QALoRA",
    "alora_invocation_tokens": "aLoRA",
    "arrow_config": "Arrow",
    "layer_replication": "replicated layers",
    "target_parameters": "parameters of experts",
    "trainable_token_indices": "trainable tokens",
    "ensure_weight_tying": "adapters tied to each other",
    "megatron_config": "Megatron's layers",
}
# They take something out of the base model's weights before the training begins.
_CHANGE_THE_BASE = ("pissa", "olora", "corda", "loftq")


@dataclass(frozen=True)
class LowRank:
    """``scale * B @ A``, to be added to a weight; transposed for layers that keep it so."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float
    is_transposed: bool

    def added_to(self, weight: torch.Tensor) -> torch.Tensor:
        delta = self.b.float() @ self.a.float()
        delta = (delta.T if self.is_transposed else delta) * self.scale
        return (weight.float() + delta).to(weight.dtype)

    def shape(self) -> tuple[int, ...]:
        shape = (self.b.shape[0], self.a.shape[1])
        return shape[::-1] if self.is_transposed else shape


class Adapter:
    """The merged tensors: the base model's, with what the adapter in *folder* adds.

    Raises:
        MergeError: the adapter is of a kind that is not merged here, or not of this base model.
    """

    def __init__(self, folder: Path, base: BaseModel) -> None:
        self._base = base
        self._tied = base.tied_embeddings()
        self._config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        _check(self._config)
        self._file = next(
            (folder / name for name in _WEIGHTS if (folder / name).is_file()), folder / _WEIGHTS[0]
        )
        self._low_rank: dict[str, LowRank] = {}
        self._whole: dict[str, torch.Tensor] = {}
        self._sort(_read(self._file))

    @property
    def unties(self) -> bool:
        changed = self._low_rank.keys() | self._whole.keys()
        return self._tied is not None and bool(changed & {self._tied, _HEAD})

    def load(self, names: Sequence[str]) -> dict[str, torch.Tensor]:
        return {name: self._merged(name) for name in names}

    def about(self) -> Mapping[str, Any]:
        with self._file.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "method": "lora",
            "adapter": {
                "file": self._file.name,
                "sha256": digest,
                "rank": self._config.get("r"),
                "alpha": self._config.get("lora_alpha"),
                "changed_tensors": len(self._low_rank) + len(self._whole),
            },
        }

    def _merged(self, name: str) -> torch.Tensor:
        [(_, weight)] = self._base.read([self._in_base(name)])
        if name in self._whole:
            weight = self._whole[name].to(weight.dtype)
        low_rank = self._low_rank.get(name)
        return weight if low_rank is None else low_rank.added_to(weight)

    def _in_base(self, name: str) -> str:
        return self._tied if name == _HEAD and self._tied is not None else name

    def _sort(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Each weight of the adapter to the base model's tensor that it belongs to."""
        halves: dict[tuple[str, bool], dict[str, torch.Tensor]] = {}
        for key, tensor in weights.items():
            name = key.removeprefix(_PREFIX)
            if _WRAPPED_ORIGINAL in name:
                continue
            if low_rank := _LOW_RANK.fullmatch(name):
                of = (low_rank[1], bool(low_rank[2]))
                halves.setdefault(of, {})[low_rank[3]] = tensor
            elif "lora_" not in name and (whole := _WHOLE.fullmatch(name)):
                self._add_whole(f"{whole[1]}.{whole[2]}", tensor)
            else:
                raise MergeError(
                    f"the adapter has weights '{key}': this merge knows none of the kind"
                )
        for (module, is_embedding), both in halves.items():
            self._add_low_rank(module, is_embedding, both)

    def _add_low_rank(
        self, module: str, is_embedding: bool, both: Mapping[str, torch.Tensor]
    ) -> None:
        if set(both) != {"A", "B"}:
            raise MergeError(f"the adapter has only one half of what it adds to {module}")
        if any(half.ndim != 2 for half in both.values()):
            raise MergeError(f"the adapter's weights for {module} are no matrices")
        is_transposed = is_embedding or bool(self._config.get("fan_in_fan_out"))
        scale = _scale(self._config, module, rank=both["A"].shape[0])
        low_rank = LowRank(both["A"], both["B"], scale, is_transposed)
        self._low_rank[self._target(f"{module}.weight", low_rank.shape())] = low_rank

    def _add_whole(self, name: str, tensor: torch.Tensor) -> None:
        self._whole[self._target(name, tuple(tensor.shape))] = tensor

    def _target(self, name: str, shape: tuple[int, ...]) -> str:
        is_tied_head = name == _HEAD and self._tied is not None
        found = _HEAD if is_tied_head else self._base.find(name)
        if found is None:
            raise MergeError(
                f"the adapter changes {name}, which {self._base.folder} has not: "
                "was it trained on another base model?"
            )
        expected = self._base.shape(self._in_base(found))
        if expected != shape:
            raise MergeError(
                f"the adapter's {name} is {shape}, the base model's {expected}: was it trained on "
                "another base model, or with a resized vocabulary? Neither can be merged"
            )
        return found


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    from peft.utils.other import get_pattern_key

    patterns = config.get("alpha_pattern") or {}
    alpha = patterns.get(get_pattern_key(patterns.keys(), module), config["lora_alpha"])
    return float(alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank)


def _check(config: Mapping[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise MergeError(f"the adapter is of type {config.get('peft_type')}: only LORA is merged")
    for setting, name in _UNKNOWN_SETTINGS.items():
        if config.get(setting):
            raise MergeError(
                f"the adapter was trained with {name} ({setting} in {ADAPTER_CONFIG}), which this "
                "merge does not know; peft's own merge_and_unload may"
            )
    start = str(config.get("init_lora_weights")).lower()
    if start.startswith(_CHANGE_THE_BASE):
        raise MergeError(
            f"the adapter began as {start}, which changes the base model too: convert it with "
            "peft's path_initial_model_for_weight_conversion first"
        )


def _read(file: Path) -> dict[str, torch.Tensor]:
    import torch
    from safetensors.torch import load_file  # type: ignore[import-not-found]

    if not file.is_file():
        raise MergeError(f"there is no {file.name} beside {file.with_name(ADAPTER_CONFIG)}")
    weights: dict[str, torch.Tensor]
    if file.suffix == ".safetensors":
        weights = load_file(file)
    else:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    return weights
