"""Where things lie: the repository, the demo's folder, the tools."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .errors import DemoError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
MOCK_HOME = FOLDER / "ocimock"
PROVIDER_HOME = FOLDER / "terraform"
TORCH_ENVIRONMENT = ROOT / ".tools" / "rehearsal"
VLLM_ENVIRONMENT = ROOT / ".tools" / "vllm"
STACKS = ("network", "data", "identity", "workbench")


def cdktf() -> Path:
    """The cdktf command that package-lock.json pins.

    :raises DemoError: it is not installed.
    """
    found = ROOT / "node_modules" / ".bin" / "cdktf"
    if not found.exists():
        raise DemoError("cdktf-cli is not installed; make setup installs it")
    return found


def path_with_python() -> str:
    """PATH with this interpreter's folder first: cdktf.json says ``python main.py``."""
    folder = Path(sys.executable).parent
    return os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])


def leave_nothing(name: str) -> None:
    """Remove every file that the demo of tenancy *name* made."""
    forget(name)
    shutil.rmtree(FOLDER, ignore_errors=True)


def forget(name: str) -> bool:
    """Remove what was written down of a deploy of tenancy *name*; whether there was any."""
    patterns = ("terraform.{}.tfstate*", ".terraform.{}.tfstate.lock.info")
    states = [
        state
        for stack in STACKS
        for pattern in patterns
        for state in ROOT.glob(pattern.format(f"{name}-{stack}"))
    ]
    for state in states:
        state.unlink()
    out = ROOT / "cdktf.out"
    synthesized = [out / "stacks" / f"{name}-{stack}" for stack in STACKS]
    for folder in (*synthesized, ROOT / "definitions" / name, ROOT / ".tunestack" / name):
        shutil.rmtree(folder, ignore_errors=True)
    if not _has_content(out / "stacks"):
        (out / "manifest.json").unlink(missing_ok=True)  # the list of the stacks
    for parent in (ROOT / "definitions", ROOT / ".tunestack", out / "stacks", out):
        if parent.is_dir() and not _has_content(parent):
            parent.rmdir()
    return bool(states)


def _has_content(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
