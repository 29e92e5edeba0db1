"""Where things lie in the folders that a merge reads."""

from __future__ import annotations

from pathlib import Path

from .errors import MergeError

ADAPTER_CONFIG = "adapter_config.json"
CHECKPOINT_METADATA = ".metadata"  # what torch.distributed.checkpoint writes beside its shards
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER = frozenset(
    {
        TOKENIZER_CONFIG,
        "added_tokens.json",
        "merges.txt",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer.model",
        "vocab.json",
    }
)
CHAT_TEMPLATES = ("chat_template.jinja", "chat_template.json")


def find_one(root: Path, marker: str) -> Path:
    """The one folder at or under ``root`` that holds the file ``marker``.

    llama-recipes writes FSDP checkpoints to ``<folder>-<model name>``, and a model name has a
    slash in it, so they lie two levels down.

    Raises:
        MergeError: none, or more than one.
    """
    if (root / marker).is_file():
        return root
    found = sorted(path.parent for path in root.rglob(marker)) if root.is_dir() else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise MergeError(f"no {marker} at or under {root}: did the fine-tuning save its output?")
    listed = ", ".join(str(path) for path in found)
    raise MergeError(f"{len(found)} folders under {root} hold {marker}; name one of: {listed}")


def beside(folder: Path, root: Path, name: str) -> Path | None:
    """The file *name* in *folder* or in one above it, up to *root*."""
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            return place / name
        if place == root:
            return None
    return None
