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
    for stack in STACKS:
        for pattern in ("terraform.{}.tfstate*", ".terraform.{}.tfstate.lock.info"):
            for state in ROOT.glob(pattern.format(f"{name}-{stack}")):
                state.unlink()
        shutil.rmtree(ROOT / "cdktf.out" / "stacks" / f"{name}-{stack}", ignore_errors=True)
    for folder in (ROOT / "definitions" / name, ROOT / ".tunestack" / name, FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    out = ROOT / "cdktf.out"
    if not _has_content(out / "stacks"):
        (out / "manifest.json").unlink(missing_ok=True)  # the list of the stacks
    for parent in (ROOT / "definitions", ROOT / ".tunestack", out / "stacks", out):
        if parent.is_dir() and not _has_content(parent):
            parent.rmdir()


def _has_content(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
