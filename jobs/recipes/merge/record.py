"""``tunestack.json``: what the merged model is made of; for the model catalog and for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from .base import BaseModel
from .errors import MergeError
from .source import Source
from .writing import Written

NAME = "tunestack.json"
TRAINING = "training.json"
_FORMAT = 1
_PACKAGES = ("torch", "transformers", "peft", "safetensors")


def record(
    base: BaseModel,
    source: Source,
    training: Path | None,
    files: Sequence[Written],
    sample: Mapping[str, str] | None,
) -> dict[str, Any]:
    """All of it.

    :param training: the fine-tuning's own record, with its data, its steps and its losses.
    :param sample: the smoke test's dialogue and answer.
    """
    return {
        "format": _FORMAT,
        "base_model": _base_model(base),
        **source.about(),
        "training": _training(training),
        "job": os.environ.get("JOB_OCID", ""),
        "job_run": os.environ.get("JOB_RUN_OCID", ""),
        "versions": {"python": platform.python_version(), **_versions()},
        "sample": dict(sample) if sample else None,
        "files": [asdict(file) for file in files],
    }


def earlier_files(output: Path) -> frozenset[str]:
    """What an earlier merge wrote into *output*."""
    try:
        known = json.loads((output / NAME).read_text(encoding="utf-8"))
        return frozenset(one["name"] for one in known["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _base_model(base: BaseModel) -> dict[str, Any]:
    if base.manifest is None:
        return {"repo": base.config.get("_name_or_path") or "", "commit": ""}
    found = base.manifest
    return {"repo": found.repo, "revision": found.revision, "commit": found.commit}


def _training(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MergeError(f"{path} can't be read: {error}") from None


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
