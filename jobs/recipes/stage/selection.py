"""Which of a model repository's files a fine-tuning needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePosixPath

from .errors import StageError
from .hub import HubFile, Repository

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"

# Beside the weights: configuration, tokenizer, and the terms that travel with the model.
_SUFFIXES = frozenset({".json", ".jinja", ".model", ".tiktoken", ".txt"})
_TERMS = ("LICENSE", "LICENCE", "NOTICE", "README", "USE_POLICY")
# Indexes of weights in other formats or precisions.
_OTHER_WEIGHTS = ".index."


def needed(repository: Repository, read: Callable[[HubFile], bytes]) -> list[HubFile]:
    """The files to stage, small ones first.

    Weights are the safetensors that the index lists, or the one file ``model.safetensors``: so
    that copies in other formats (``.bin``, ``.gguf``, ``consolidated.safetensors``) stay away.

    Raises:
        StageError: there are no safetensors, or not all that the index lists, or no config.json.
    """
    if repository.find("config.json") is None:
        raise StageError(f"{repository.name} has no config.json: it is no model of transformers'")
    weights = _weights(repository, read)
    others = [file for file in repository.files if _is_wanted(file.name)]
    return sorted(others, key=lambda file: file.size) + weights


def _weights(repository: Repository, read: Callable[[HubFile], bytes]) -> list[HubFile]:
    index = repository.find(INDEX)
    if index is None:
        whole = repository.find(WHOLE)
        if whole is None:
            raise StageError(_no_safetensors(repository))
        return [whole]
    names = sorted(set(json.loads(read(index))["weight_map"].values()))
    found = [repository.find(name) for name in names]
    missing = [name for name, file in zip(names, found, strict=True) if file is None]
    if missing:
        raise StageError(
            f"{repository.name} at {repository.commit} lacks {', '.join(missing)}, which its "
            f"{INDEX} lists: the repository is broken; choose another --model-revision"
        )
    return [file for file in found if file is not None]


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name)
    if len(path.parts) > 1:
        return False
    if _OTHER_WEIGHTS in name:
        return name == INDEX
    return path.suffix in _SUFFIXES or path.stem.upper().startswith(_TERMS)


def _no_safetensors(repository: Repository) -> str:
    others = [file.name for file in repository.files if file.name.endswith((".bin", ".pth", ".pt"))]
    has = f"only {others[0]}" + (" and the like" if others[1:] else "") if others else "no weights"
    return (
        f"{repository.name} has no safetensors, {has}. Pickled weights can run code, so they are "
        "not staged. Convert them: https://huggingface.co/spaces/safetensors/convert opens a pull "
        "request in the repository; then give --model-revision refs/pr/N"
    )
