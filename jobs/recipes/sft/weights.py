"""The base model's weights, of which each process reads no more than its own share.

The model is built without memory (PyTorch's meta device) and sharded; then each rank reads its
rows of each tensor from the safetensors files. So 13 billion parameters are read once by all
ranks together, and no process ever holds them all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from .errors import UsageError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


@dataclass(frozen=True)
class Share:
    """Which rows of a tensor are this rank's: FSDP2 cuts the first dimension like torch.chunk."""

    rank: int
    size: int

    def rows(self, count: int) -> slice:
        chunk = math.ceil(count / self.size)
        start = min(self.rank * chunk, count)
        return slice(start, min(start + chunk, count))


def files_of(folder: Path) -> dict[str, Path]:
    """Which file holds which tensor.

    Raises:
        UsageError: there are no safetensors, or not all that the index names.
    """
    from safetensors import safe_open  # type: ignore[import-not-found]

    index = folder / INDEX
    if index.is_file():
        named = json.loads(index.read_text())["weight_map"]
        files = {name: folder / file for name, file in named.items()}
    elif (folder / SINGLE).is_file():
        with safe_open(folder / SINGLE, framework="pt") as opened:
            files = dict.fromkeys(opened.keys(), folder / SINGLE)
    else:
        raise UsageError(
            f"{folder} has neither {SINGLE} nor {INDEX}: only safetensors are read; "
            "stage the model with recipes.stage"
        )
    missing = sorted({file.name for file in files.values() if not file.is_file()})
    if missing:
        raise UsageError(f"{folder} lacks {', '.join(missing)}, named in {INDEX}; stage it again")
    return files


def fill(model: Any, folder: Path, device: Any, share: Share, seed: int) -> None:
    """Give every parameter of a model on the meta device its values.

    Tensors of the base come from its files, in the type that the parameter has; those of LoRA are
    drawn as peft draws them, from the seed and their names, so that they do not depend on the
    number of ranks.

    Raises:
        UsageError: the files lack a tensor of the model, or hold one of another shape.
    """
    files = files_of(folder)
    ready: dict[int, Any] = {}  # tied weights are one parameter under two names
    state: dict[str, Any] = {}
    with ExitStack() as stack:
        opened: dict[Path, Any] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            if id(parameter) not in ready:
                local = _values(name, parameter, files, opened, stack, share, seed)
                ready[id(parameter)] = _like(parameter, local.to(device))
            state[name] = ready[id(parameter)]
    model.load_state_dict(state, assign=True, strict=False)
    left = [name for name, tensor in model.named_parameters() if tensor.is_meta]
    if left:
        raise UsageError(f"{folder}: no values for {left[0]} and {len(left) - 1} other tensors")


def _values(
    name: str,
    parameter: Any,
    files: dict[str, Path],
    opened: dict[Path, Any],
    stack: ExitStack,
    share: Share,
    seed: int,
) -> Any:
    from safetensors import safe_open

    rows = share.rows(parameter.shape[0])
    if ".lora_" in name:
        return _lora(name, parameter, seed)[rows].clone()
    source = name.replace(".base_layer.", ".")
    alias = next((other for other in _names(source) if other in files), None)
    if alias is None:
        raise UsageError(f"the model's files hold no tensor {source}; stage the model again")
    path = files[alias]
    if path not in opened:
        opened[path] = stack.enter_context(safe_open(path, framework="pt"))
    stored = opened[path].get_slice(alias)
    if tuple(stored.get_shape()) != tuple(parameter.shape):
        raise UsageError(
            f"{path}: {alias} has the shape {stored.get_shape()}, but config.json says "
            f"{list(parameter.shape)}"
        )
    return stored[rows].to(parameter.dtype)


def _names(source: str) -> Iterator[str]:
    """Names under which files keep a tensor: tied models have no output embedding of their own."""
    yield source
    if source == "lm_head.weight":
        yield "model.embed_tokens.weight"


def _lora(name: str, parameter: Any, seed: int) -> Any:
    """As ``peft.tuners.lora``: A by Kaiming (a = sqrt 5), B zero, so that training starts at the
    base model."""
    whole = torch.zeros(parameter.shape, dtype=parameter.dtype)
    if ".lora_A." in name:
        draw = torch.Generator().manual_seed(_number(f"{seed}/{name}"))
        torch.nn.init.kaiming_uniform_(whole, a=math.sqrt(5), generator=draw)
    return whole


def _number(text: str) -> int:
    import hashlib

    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def _like(parameter: Any, local: Any) -> Any:
    """A parameter that holds ``local``, sharded as ``parameter`` is."""
    if isinstance(parameter, DTensor):
        local = DTensor.from_local(
            local,
            parameter.device_mesh,
            parameter.placements,
            run_check=False,
            shape=parameter.shape,
            stride=parameter.stride(),
        )
    return torch.nn.Parameter(local, requires_grad=parameter.requires_grad)
