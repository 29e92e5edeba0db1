"""vLLM's command line and environment, from the container's settings."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .settings import SERVED_NAME, Settings, has_option

# Both old and new releases have it; `vllm serve` asks for a distribution of that very name, which
# the builds for CPUs do not have.
_MODULE = "vllm.entrypoints.openai.api_server"
_MIDDLEWARE = "recipes.serve.paths.ContractPaths"
# Options whose value is a secret.
_SECRET = ("--api-key", "--hf-token")


def words(settings: Settings, model: Path) -> list[str]:
    """The whole command. What PARAMS says goes before what this recipe would choose."""
    chosen = {
        "--model": str(model),
        "--served-model-name": SERVED_NAME,
        "--host": settings.host,
        "--port": str(settings.port),
        "--tensor-parallel-size": str(settings.tensor_parallel or ""),
        "--middleware": _MIDDLEWARE,
    }
    given = settings.params
    if has_option(given, "-tp"):
        del chosen["--tensor-parallel-size"]
    usual = [
        word
        for name, value in chosen.items()
        if value and (name == "--middleware" or not has_option(given, name))
        for word in (name, value)
    ]
    return [sys.executable, "-m", _MODULE, *usual, *given]


def shown(command: Sequence[str]) -> str:
    """*command* for a log, without the values of its secret options."""
    kept: list[str] = []
    hide = False
    for word in command:
        name, equals, _ = word.partition("=")
        if hide:
            kept.append("***")
        elif name in _SECRET and equals:
            kept.append(f"{name}=***")
        else:
            kept.append(word)
        hide = word in _SECRET
    return shlex.join(kept)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """*given*, and this package where vLLM's processes can import the middleware from."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [path for path in given.get("PYTHONPATH", "").split(os.pathsep) if path]
    if package not in paths:
        paths.insert(0, package)
    return {**given, "PYTHONPATH": os.pathsep.join(paths)}
