"""A working copy of its own for what drives the project from outside, in a path with a space."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

# The runner's own: most of these stand up no more than they try. What is run in a working copy is
# run as a user does, with it.
os.environ["TUNESTACK_NO_PREFLIGHT"] = "1"

ROOT = Path(__file__).resolve().parents[2]

# What a developer's shell, or make itself, must not hand down to the commands under test.
_LEFT_OUT = ("MAKE", "MFLAGS", "OCI", "TF_", "TUNESTACK", "PYTEST", "HTTP", "http", "NO_PROXY")


@dataclass(frozen=True)
class WorkingCopy:
    """A copy of the project, with an empty home, that borrows what make setup installed."""

    path: Path
    home: Path

    def run(
        self, command: str, *, environment: dict[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the copy; what it printed is shown where it fails."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.path,
            env={**self._environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}")
        return done

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(_LEFT_OUT)}
        # cdktf and pip would otherwise set up their caches anew in each empty home.
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(cache),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache / "aws" / "jsii"),
            "CHECKPOINT_DISABLE": "1",
            "COLUMNS": "120",
        }


def working_copy_in(folder: Path, *installed: str) -> WorkingCopy:
    """The tracked and untracked files of this tree, beside links to what is *installed* here."""
    copy, home = folder / "tune stack", folder / "home"
    home.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    for name in installed:
        (copy / name).symlink_to(ROOT / name)
    # Newer than what is installed, these would have make install anew, through the links: npm ci
    # would empty this tree's own node_modules.
    for lock in ("Pipfile.lock", "package-lock.json", "tools/vllm/requirements.txt"):
        os.utime(copy / lock, (0, 0))
    return WorkingCopy(copy, home)


@pytest.fixture(scope="session")
def working_copy(tmp_path_factory: pytest.TempPathFactory) -> WorkingCopy:
    """A copy without PyTorch, in which jobs are simulated."""
    folder = tmp_path_factory.mktemp("a path with spaces")
    return working_copy_in(folder, ".venv", "node_modules")


@pytest.fixture(scope="session")
def torch_copy(tmp_path_factory: pytest.TempPathFactory) -> WorkingCopy:
    """A copy with the environments of ``make setup-rehearsal`` and ``make setup-vllm``."""
    for name in ("rehearsal", "vllm"):
        if not (ROOT / ".tools" / name / ".synced").exists():
            pytest.skip(f".tools/{name} is not installed: make setup-{name}")
    folder = tmp_path_factory.mktemp("a path with spaces")
    return working_copy_in(folder, ".venv", "node_modules", ".tools")
