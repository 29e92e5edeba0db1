"""What the container is told by its environment.

Sources: OCI documentation, "Bring Your Own Container" (where the model lies, the port, /health and
/predict) and ADS's AQUA (``BASE_MODEL``, ``PARAMS``, ``MODEL_DEPLOY_…_ENDPOINT``); ``MODEL`` and
``TENSOR_PARALLELISM`` are of Oracle's sample image for Llama 2.
"""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

MODEL_ROOT = "/opt/ds/model/deployed_model"
"""Where OCI mounts the artifact of the model, read-only."""
SERVED_NAME = "odsc-llm"
"""What OCI's own vLLM image serves a model as."""
PREDICT_ENDPOINT = "/v1/completions"
_HOST = "0.0.0.0"
_PORT = 8080


class SettingsError(Exception):
    """A variable is not what it must be; the message names it, and says what is allowed."""


class Backend(Enum):
    """What answers."""

    VLLM = "vllm"
    TRANSFORMERS = "transformers"


@dataclass(frozen=True)
class Settings:
    """How to serve, and what.

    *model* is a folder, *host* and *port* are where to listen, *predict_endpoint* and
    *health_endpoint* the server's own paths behind ``/predict`` and ``/health``. *params* are words
    of vLLM's command line: those of PARAMS, then those of SERVE_PARAMS, which win where both say
    something.
    """

    model: Path
    host: str = _HOST
    port: int = _PORT
    predict_endpoint: str = PREDICT_ENDPOINT
    health_endpoint: str = "/health"
    params: tuple[str, ...] = ()
    tensor_parallel: int | None = None
    backend: Backend = Backend.TRANSFORMERS

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """:raises SettingsError: see there."""
        return cls(
            model=_model(environment),
            host=environment.get("HOST") or _HOST,
            port=_number(environment, "PORT", 1, 65535) or _PORT,
            predict_endpoint=_path(environment, "MODEL_DEPLOY_PREDICT_ENDPOINT", PREDICT_ENDPOINT),
            health_endpoint=_path(environment, "MODEL_DEPLOY_HEALTH_ENDPOINT", "/health"),
            params=(*_words(environment, "PARAMS"), *_words(environment, "SERVE_PARAMS")),
            tensor_parallel=_number(environment, "TENSOR_PARALLELISM", 1, 1024),
            backend=_backend(environment),
        )

    @property
    def served_name(self) -> str:
        """The model's name in requests and answers."""
        return self.param("--served-model-name") or SERVED_NAME

    def param(self, name: str) -> str | None:
        """The value that *params* give the option *name*; the last one counts."""
        found = None
        for place, word in enumerate(self.params):
            if word == name and place + 1 < len(self.params):
                found = self.params[place + 1]
            elif word.startswith(f"{name}="):
                found = word.removeprefix(f"{name}=")
        return found


def has_option(words: Sequence[str], name: str) -> bool:
    """Whether the command line *words* give the option *name*, in either spelling."""
    return any(word == name or word.startswith(f"{name}=") for word in words)


def _model(environment: Mapping[str, str]) -> Path:
    """MODEL, or the folder BASE_MODEL of what OCI mounted."""
    root = Path(environment.get("MODEL_ROOT") or MODEL_ROOT)
    if model := environment.get("MODEL"):
        return root / model  # an absolute one stays as it is
    below = environment.get("BASE_MODEL", "").strip("/")
    if ".." in Path(below).parts:
        raise SettingsError(f"BASE_MODEL is '{below}'; it must be a folder below {root}")
    return root / below


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not least <= int(text) <= most:
        raise SettingsError(f"{name} is '{text}'; it must be a whole number, {least} to {most}")
    return int(text)


def _path(environment: Mapping[str, str], name: str, usual: str) -> str:
    text = environment.get(name, "").strip() or usual
    if not text.startswith("/"):
        raise SettingsError(f"{name} is '{text}'; it must be a path, {usual} for example")
    return text


def _words(environment: Mapping[str, str], name: str) -> list[str]:
    try:
        return shlex.split(environment.get(name, ""))
    except ValueError as error:
        raise SettingsError(f"{name} can't be read as words of a command ({error})") from None


def _backend(environment: Mapping[str, str]) -> Backend:
    text = environment.get("SERVE_BACKEND", "").strip()
    has_vllm = importlib.util.find_spec("vllm") is not None
    if not text:
        return Backend.VLLM if has_vllm else Backend.TRANSFORMERS
    try:
        backend = Backend(text)
    except ValueError:
        allowed = " or ".join(found.value for found in Backend)
        raise SettingsError(f"SERVE_BACKEND is '{text}'; it must be {allowed}") from None
    if backend is Backend.VLLM and not has_vllm:
        raise SettingsError("SERVE_BACKEND is 'vllm', but vLLM is not installed here")
    return backend
