"""Is this folder a whole model? Known in a moment, before a server spends minutes on loading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_INDEX = "model.safetensors.index.json"
_ADAPTER = "adapter_config.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
# How many folders a message names.
_NAMED = 5
# Bytes before the header of a safetensors file: its length, little-endian.
_LENGTH = 8
# Bytes. The format's own limit.
_LARGEST_HEADER = 100_000_000


class ModelError(Exception):
    """The folder holds no whole model; the message says what is missing, and what to do."""


def check(folder: Path) -> Path:
    """The folder of the model: *folder*, or the only one below it that holds a config.json.

    :raises ModelError: see there.
    """
    found = _locate(folder)
    _check_config(found)
    for shard in _shards(found):
        _check_shard(shard)
    if not any((found / name).is_file() for name in _TOKENIZERS):
        raise ModelError(
            f"{found} has no tokenizer ({' or '.join(_TOKENIZERS[:2])}); "
            "save the tokenizer beside the weights"
        )
    return found


def _locate(folder: Path) -> Path:
    if not folder.is_dir():
        raise ModelError(
            f"{folder} is no folder{_what_is_there(folder)}; "
            "BASE_MODEL must be the model's folder inside the artifact"
        )
    if (folder / "config.json").is_file():
        return folder
    if (folder / _ADAPTER).is_file():
        raise ModelError(
            f"{folder} holds a LoRA adapter, not a model; merge it into its base model first "
            "(python -m recipes.merge)"
        )
    below = sorted(path.parent for path in folder.rglob("config.json"))
    if len(below) == 1:
        return below[0]
    if below:
        named = ", ".join(str(path.relative_to(folder)) for path in below[:_NAMED])
        raise ModelError(f"{folder} holds several models ({named}); name one with BASE_MODEL")
    raise ModelError(f"{folder} has no config.json, nor has a folder below it: it is no model")


def _what_is_there(folder: Path) -> str:
    """What the nearest folder above *folder* holds, for the reader to find a misspelling."""
    above = next((path for path in folder.parents if path.is_dir()), None)
    if above is None:
        return ""
    names = sorted(path.name for path in above.iterdir())[:_NAMED]
    return f" ({above} holds {', '.join(names) or 'nothing'})"


def _check_config(folder: Path) -> None:
    config = _json(folder / "config.json")
    if not isinstance(config, dict) or not config.get("model_type"):
        raise ModelError(f"{folder / 'config.json'} names no model_type: it is no model's")


def _shards(folder: Path) -> list[Path]:
    """Every file of the weights."""
    if not (folder / _INDEX).is_file():
        found = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
        if not found:
            raise ModelError(f"{folder} has no weights (*.safetensors): was the merge completed?")
        return found
    index = _json(folder / _INDEX)
    weights = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weights, dict) or not weights:
        raise ModelError(f"{folder / _INDEX} has no weight_map")
    named = sorted({str(name) for name in weights.values()})
    missing = [name for name in named if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder} lacks {len(missing)} of {len(named)} weight files, "
            f"{missing[0]} first: copy the whole folder again"
        )
    return [folder / name for name in named]


def _check_shard(path: Path) -> None:
    """:raises ModelError: a safetensors file that is shorter or longer than its header says."""
    if path.suffix != ".safetensors":
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        if size < _LENGTH or length > min(size - _LENGTH, _LARGEST_HEADER):
            raise ModelError(f"{path} is cut off or no safetensors file ({size} bytes)")
        try:
            header = json.loads(file.read(length))
            ends = [each["data_offsets"][1] for name, each in header.items() if name[:2] != "__"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            raise ModelError(f"{path} is no safetensors file: its header can't be read") from None
    expected = _LENGTH + length + max(ends, default=0)
    if size != expected:
        raise ModelError(
            f"{path} has {size} bytes, its header says {expected}: copy the file again"
        )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read ({error})") from None
