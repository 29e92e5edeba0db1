"""The base model's folder: which tensors lie in which shard; bytes are read when asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..stage import manifest as staging
from .errors import MergeError

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"
CONFIG = "config.json"
_HEAD = "lm_head.weight"
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight")


@dataclass(frozen=True)
class BaseModel:
    """A model as Hugging Face keeps it: *shards* are files, each with its tensors' names."""

    folder: Path
    shards: Mapping[str, tuple[str, ...]]
    config: Mapping[str, Any]
    manifest: staging.Manifest | None

    @classmethod
    def at(cls, folder: Path) -> BaseModel:
        """
        Raises:
            MergeError: there is no model in *folder*, or not as safetensors.
            ManifestError: it was staged, and is not what was staged.
        """
        if not (folder / CONFIG).is_file():
            raise MergeError(f"there is no {CONFIG} in {folder}: --base must be a model's folder")
        manifest = staging.find(folder) and staging.check(folder)
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if config.get("quantization_config"):
            raise MergeError(
                f"{folder} is quantized: give the model that it was made from as --base"
            )
        return cls(folder, _shards(folder), config, manifest)

    def names(self) -> frozenset[str]:
        return frozenset(name for names in self.shards.values() for name in names)

    def find(self, name: str) -> str | None:
        """The tensor that a module's parameter is: some models keep theirs without the prefix."""
        known = self.names()
        short = name.partition(".")[2]
        return next((one for one in (name, short) if one in known), None)

    def shape(self, name: str) -> tuple[int, ...]:
        with self._opened(name) as file:
            return tuple(file.get_slice(name).get_shape())

    def dtype(self, name: str) -> torch.dtype:
        with self._opened(name) as file:
            # Nothing of it: so only the header is read.
            return file.get_slice(name)[:0].dtype

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """The tensors, one after the other; they are mapped from the file, not copied."""
        for name in names:
            with self._opened(name) as file:
                yield name, file.get_tensor(name)

    def tied_embeddings(self) -> str | None:
        """The embeddings' name, if the output layer has no weights but theirs."""
        if not self.config.get("tie_word_embeddings") or _HEAD in self.names():
            return None
        return next((name for name in self.names() if name.endswith(_EMBEDDINGS)), None)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        from safetensors import safe_open  # type: ignore[import-not-found]

        shard = next(file for file, names in self.shards.items() if name in names)
        with safe_open(self.folder / shard, framework="pt") as opened:
            yield opened


def _shards(folder: Path) -> dict[str, tuple[str, ...]]:
    from safetensors import SafetensorError, safe_open

    if (folder / INDEX).is_file():
        weights = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        files = sorted(set(weights.values()))
    elif (folder / WHOLE).is_file():
        files = [WHOLE]
    else:
        raise MergeError(
            f"there are no safetensors in {folder} (neither {INDEX} nor {WHOLE}): stage the model "
            "with recipes.stage, which says how to convert one that has pickled weights only"
        )
    shards = {}
    for file in files:
        try:
            with safe_open(folder / file, framework="pt") as opened:
                shards[file] = tuple(sorted(opened.keys()))
        except (OSError, SafetensorError) as error:
            raise MergeError(f"{folder / file} can't be read: {error}") from None
    return shards
