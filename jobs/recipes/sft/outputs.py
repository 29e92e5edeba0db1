"""What a run leaves: an adapter in peft's form or sharded weights, the metrics, ``training.json``.

Everything is written to the node's own disk and then copied file by file: ``--output`` may be a
mounted bucket, which takes whole files only. ``training.json`` comes last: where it is, the rest
is whole.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.tensor import DTensor

from .model import Trained
from .parallel import World

SUMMARY = "training.json"
MANIFEST = "tunestack-stage.json"  # recipes.stage's: which model, at which commit
_OLD = ("adapter_*", "*.distcp", ".metadata", SUMMARY)


def clear(output: Path) -> None:
    """Remove what an earlier run left, so that old and new never mix."""
    output.mkdir(parents=True, exist_ok=True)
    for pattern in _OLD:
        for path in output.glob(pattern):
            path.unlink()


def base_model(folder: Path) -> tuple[str, str | None]:
    """(name, commit) of the base model as far as its folder tells, else its path and None."""
    manifest = _json(folder / MANIFEST)
    if manifest.get("repo"):
        return str(manifest["repo"]), manifest.get("commit")
    named = _json(folder / "config.json").get("_name_or_path")
    return (str(named) if named else str(folder)), None


def save_adapter(trained: Trained, base: str, folder: Path, world: World) -> None:
    """The LoRA matrices as ``peft.PeftModel.from_pretrained`` reads them, written by rank 0."""
    from safetensors.torch import save_file  # type: ignore[import-not-found]

    matrices = {}
    for name, parameter in trained.module.named_parameters():
        if parameter.requires_grad:
            whole = _whole(parameter)  # all ranks take part
            if world.first:
                key = "base_model.model." + name.replace(".default.", ".")
                matrices[key] = whole.detach().cpu().contiguous()
    if not world.first:
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_file(matrices, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    trained.lora.base_model_name_or_path = base
    trained.lora.inference_mode = True
    trained.lora.save_pretrained(str(folder))
    trained.tokenizer.save_pretrained(folder)


def save_full(trained: Trained, folder: Path, world: World) -> None:
    """All weights, sharded, under the key ``model``; each rank writes its own part of them."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = get_model_state_dict(trained.module, options=StateDictOptions())
    stored = {name: tensor.to(trained.compute) for name, tensor in weights.items()}
    dcp.save(
        {"model": stored},
        storage_writer=dcp.FileSystemWriter(folder, sync_files=False),  # copied from here
        process_group=world.control,
    )
    if world.first:
        trained.module.config.save_pretrained(folder)
        trained.module.generation_config.save_pretrained(folder)
        trained.tokenizer.save_pretrained(folder)


def copy_own(folder: Path, output: Path, world: World) -> None:
    """Copy what this rank wrote; rank 0 copies what is nobody's shard too."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        shard = path.name.startswith("__")
        if path.name.startswith(f"__{world.rank}_") if shard else world.first:
            shutil.copyfile(path, output / path.name)


def write_summary(summary: dict[str, Any], output: Path) -> None:
    (output / SUMMARY).write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


def _whole(parameter: Any) -> Any:
    return parameter.full_tensor() if isinstance(parameter, DTensor) else parameter


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
