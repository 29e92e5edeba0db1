"""What the rehearsal needs before it can begin: a tiny model, a hub that has it, where jobs run."""

from __future__ import annotations

import json
import tomllib
from enum import StrEnum
from pathlib import Path

from . import hub_process, hub_token
from .commands import run_quietly
from .errors import DemoError, OtherSettingsError
from .places import FOLDER, ROOT, TORCH_ENVIRONMENT, VLLM_ENVIRONMENT

_HUB_FOLDER = FOLDER / "hub"
_EXECUTION_FILE = FOLDER / "execution.toml"

_IMAGE = "dsmc://odsc-vllm-serving:*"

# What stands for OCI's own things. A node gets one core: two of them train side by side.
_EXECUTION = """\
# Written by make rehearse; docs/ocimock.md says what each key means.
[environments]
"*" = {torch}

[images."{image}"]
environment = {serving}
folder = {recipes}
command = ["python", "-m", "recipes.serve"]

[images."{image}".variables]
SERVE_BACKEND = "{backend}"
{variables}
[hosts]
"huggingface.co" = "127.0.0.1:{port}"

[limits]
cpus = 1
memory = "6 GB"
disk = "10 GB"
"""

# For a machine without GPUs. Source: vLLM's documentation, "CPU" installation.
_VLLM_VARIABLES = """\
VLLM_ENABLE_V1_MULTIPROCESSING = "0"
HF_HUB_OFFLINE = "1"
SERVE_PARAMS = "--dtype float32 --enforce-eager --kv-cache-memory-bytes 67108864"
"""


class Server(StrEnum):
    """What serves the model."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"


def torch_is_there() -> bool:
    """Whether ``make rehearse`` has installed what the jobs need."""
    return (TORCH_ENVIRONMENT / ".synced").exists()


def prepare(server: Server | None, *, stands: bool) -> tuple[str, ...]:
    """Make the model and its hub; what is there already is used again.

    :param server: None takes what serves already, and transformers where nothing does.
    :param stands: whether the embedded OCI runs: it has read its execution file, and holds to that.
    :raises OtherSettingsError: it runs with another server than *server*, or knows another hub.
    :raises DemoError: PyTorch or vLLM is not installed.
    """
    standing = _standing_server() if stands else None
    server = server or standing or Server.TRANSFORMERS
    if standing not in (None, server):
        raise OtherSettingsError(f"what stands serves with {standing}, not with {server}.")
    _need_environments(server)
    FOLDER.mkdir(exist_ok=True)
    if not (_HUB_FOLDER / ".made").exists():
        command = [_python(), "-m", "demo.tiny", str(_HUB_FOLDER)]
        run_quietly("a tiny Llama and dialogues for it", command, {})
        (_HUB_FOLDER / ".made").touch()
    hub = hub_process.running() or hub_process.start(_HUB_FOLDER, hub_token.token())
    text = _execution(server, hub.port)
    if stands and _EXECUTION_FILE.exists() and _EXECUTION_FILE.read_text() != text:
        raise OtherSettingsError(f"the embedded OCI was started with another {_EXECUTION_FILE}.")
    _EXECUTION_FILE.write_text(text)
    return ("--execute", str(_EXECUTION_FILE), "--verify-signatures", "--enforce-iam")


def _need_environments(server: Server) -> None:
    if not torch_is_there():
        raise DemoError(f"{TORCH_ENVIRONMENT} has no PyTorch; make rehearse installs it")
    if server is Server.VLLM and not (VLLM_ENVIRONMENT / ".synced").exists():
        raise DemoError(f"{VLLM_ENVIRONMENT} has no vLLM; make rehearse SERVE=vllm installs it")


def _standing_server() -> Server | None:
    """What the execution file has the embedded OCI serve with; None where it does not say."""
    try:
        read = tomllib.loads(_EXECUTION_FILE.read_text())
        return Server(read["images"][_IMAGE]["variables"]["SERVE_BACKEND"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _execution(server: Server, port: int) -> str:
    """The execution file's text."""
    serving = VLLM_ENVIRONMENT if server is Server.VLLM else TORCH_ENVIRONMENT
    return _EXECUTION.format(
        torch=_quoted(TORCH_ENVIRONMENT),
        image=_IMAGE,
        serving=_quoted(serving),
        recipes=_quoted(ROOT / "jobs"),
        backend=server,
        variables=_VLLM_VARIABLES if server is Server.VLLM else "",
        port=port,
    )


def _quoted(folder: Path) -> str:
    """A string of TOML, whatever the folder is called: one of JSON is one of TOML too."""
    return json.dumps(str(folder), ensure_ascii=False)


def _python() -> str:
    return str(Path(TORCH_ENVIRONMENT) / "bin" / "python")
