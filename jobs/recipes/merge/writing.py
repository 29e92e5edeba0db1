"""Write the merged model: each file whole, first to local disk, then to the mounted bucket.

A mounted bucket takes whole files only, not the seeks and renames of a writer. The job's block
storage is at home; /tmp, on the boot volume, may be too small for a shard.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..stage import manifest as staging
from .base import CONFIG, INDEX, BaseModel
from .errors import MergeError
from .folders import CHAT_TEMPLATES, TOKENIZER, TOKENIZER_CONFIG
from .source import Source

if TYPE_CHECKING:
    import torch

HEAD = "lm_head.weight"
_CHUNK = 16 * 1024**2  # bytes
# Of the base model's folder; its tokenizer may come from the fine-tuning instead.
_COMPANIONS = (".json", ".jinja", ".model", ".tiktoken", ".txt", ".md")


@dataclass(frozen=True)
class Written:
    """A file of the output: its name, its size in bytes, its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Writer:
    """Writes into *output* by way of *scratch*, a folder on local disk."""

    output: Path
    scratch: Path

    def weights(self, base: BaseModel, source: Source, dtype: str) -> Iterator[Written]:
        """The shards and their index; yielded when each is in the output."""
        places: dict[str, str] = {}
        total = 0
        last = list(base.shards)[-1]
        for number, (shard, names) in enumerate(base.shards.items(), start=1):
            names = (*names, HEAD) if source.unties and shard == last else names
            places |= dict.fromkeys(names, shard)
            written, size = self._shard(shard, source.load(names), dtype)
            total += size
            _say(f"{number}/{len(base.shards)} {shard}: {len(names)} tensors, {size:,} bytes")
            yield written
        if len(base.shards) > 1:
            index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
            yield self.text(INDEX, index)

    def companions(
        self, base: BaseModel, source: Source, trained: Path, dtype: str
    ) -> Iterator[Written]:
        """Configuration, terms, and the tokenizer: the fine-tuning's, if it has saved one."""
        config = {**base.config}
        if source.unties:
            config["tie_word_embeddings"] = False
        if dtype != "auto":
            config["dtype" if "dtype" in config else "torch_dtype"] = dtype
        yield self.text(CONFIG, config)
        trained_files = _tokenizer(trained)
        own = {CONFIG, INDEX, staging.NAME, *(file.name for file in trained_files)}
        own |= TOKENIZER if trained_files else set()
        for file in sorted(base.folder.iterdir()):
            is_wanted = file.suffix in _COMPANIONS or file.stem.upper().startswith("LICENSE")
            if file.is_file() and is_wanted and file.name not in own:
                yield self.copied(file)
        for file in trained_files:
            yield self.copied(file)

    def text(self, name: str, content: Mapping[str, Any]) -> Written:
        """A JSON file."""
        local = self.scratch / name
        local.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return self._delivered(local)

    def copied(self, file: Path) -> Written:
        return _copy(file, self.output / file.name)

    def _shard(
        self, name: str, tensors: dict[str, torch.Tensor], dtype: str
    ) -> tuple[Written, int]:
        import torch
        from safetensors.torch import save_file  # type: ignore[import-not-found]

        if dtype != "auto":
            wanted = getattr(torch, dtype)
            tensors = {key: tensor.to(wanted) for key, tensor in tensors.items()}
        tensors = {key: tensor.contiguous() for key, tensor in tensors.items()}
        size = sum(tensor.nbytes for tensor in tensors.values())
        local = self.scratch / name
        save_file(tensors, local, metadata={"format": "pt"})
        tensors.clear()
        return self._delivered(local), size

    def _delivered(self, local: Path) -> Written:
        try:
            return _copy(local, self.output / local.name)
        finally:
            local.unlink()


def _tokenizer(folder: Path) -> list[Path]:
    """The tokenizer in *folder*, if there is one; a chat template may be missing in it."""
    if not (folder / TOKENIZER_CONFIG).is_file():
        return []
    names = sorted(TOKENIZER | set(CHAT_TEMPLATES))
    return [folder / name for name in names if (folder / name).is_file()]


def _copy(source: Path, target: Path) -> Written:
    """Copy in one pass from start to end, as a mounted bucket wants it; the checksum by the way."""
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += writer.write(chunk)
    if target.stat().st_size != size:
        raise MergeError(
            f"{target} has {target.stat().st_size:,} bytes after {size:,} were written: is the "
            "bucket full or the mount broken? Run again"
        )
    return Written(target.name, size, digest.hexdigest())


def _say(text: str) -> None:
    print(f"merge: {text}", flush=True)
