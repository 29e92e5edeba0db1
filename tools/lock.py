"""Write Pipfile.lock anew: ``python tools/lock.py`` (``make lock``).

Two things beyond ``pipenv lock``: no setting of this machine's pip gets in, and the lock names no
package index, so that each machine uses the one that it is configured for.

``python tools/lock.py vllm`` writes ``tools/vllm/requirements.txt`` instead, with uv.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "Pipfile.lock"
VLLM = Path(__file__).resolve().parent / "vllm"
_PIP_SETTINGS = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")


# The Makefile installs PyTorch's CPU build; of the others of its family there is none, and vLLM
# imports them where they are.
_TORCH = ("torch", "torchvision", "torchaudio", "torchcodec", "triton")


def lock_vllm() -> int:
    """Write what vLLM needs, with its hashes, for every Python that the project knows."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--quiet"]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url"]
    for package in _TORCH:
        command += ["--no-emit-package", package]
    for folder in os.environ.get("PIP_FIND_LINKS", "").split():
        command += ["--find-links", folder]
    command += [str(VLLM / "requirements.in"), "--output-file", str(VLLM / "requirements.txt")]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    environment = {name: text for name, text in os.environ.items() if name not in _PIP_SETTINGS}
    environment["PIP_CONFIG_FILE"] = os.devnull
    done = subprocess.run(["pipenv", "lock"], cwd=LOCK.parent, env=environment, check=False)
    if done.returncode:
        return done.returncode
    content = json.loads(LOCK.read_text())
    content["_meta"]["sources"] = []
    for category in content:
        if category != "_meta":
            for package in content[category].values():
                package.pop("index", None)
    LOCK.write_text(json.dumps(content, indent=4, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(lock_vllm() if sys.argv[1:] == ["vllm"] else main())
