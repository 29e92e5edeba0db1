"""A missing prerequisite is named in one line, with what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_TOOLS = ("node", "npm", "terraform", "git")
_GOOD = {
    "node": "echo v22.1.0",
    "npm": "echo 10.0.0",
    "terraform": "echo Terraform v1.11.4",
    "git": "echo git version 2.39.5",
}


def _machine(folder: Path, tools: dict[str, str]) -> str:
    """A PATH on which only these tools answer, beside what a shell script needs."""
    for name in ("sh", "sed", "sort", "head", "tr"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, line in tools.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def _check(path: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "tools" / "prerequisites.sh"), python, *_TOOLS],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_machine_passes_in_silence(tmp_path: Path) -> None:
    done = _check(_machine(tmp_path, _GOOD))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("tool", _TOOLS)
def test_a_missing_tool_is_named_in_one_line(tmp_path: Path, tool: str) -> None:
    present = {name: line for name, line in _GOOD.items() if name != tool}
    done = _check(_machine(tmp_path, present))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.lower().startswith("missing: " + tool.replace("node", "node.js"))
    assert "install" in done.stderr


@pytest.mark.parametrize(
    ("tool", "line", "found"),
    [
        ("node", "echo v18.20.0", "18.20.0"),
        ("node", "echo v24.0.1", "cdktf-cli 0.21 does not run"),
        ("terraform", "echo Terraform v1.9.8", "1.9.8"),
    ],
)
def test_a_wrong_version_is_named_in_one_line(
    tmp_path: Path, tool: str, line: str, found: str
) -> None:
    done = _check(_machine(tmp_path, {**_GOOD, tool: line}))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert found in done.stderr


def test_a_wrong_python_is_named_in_one_line(tmp_path: Path) -> None:
    path = _machine(tmp_path, {**_GOOD, "python3": "echo 3.9"})
    for python in ("python3", "no-such-python"):
        done = _check(path, python)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "Python 3.11, 3.12 or 3.13" in done.stderr


def test_make_stops_before_it_installs_anything(tmp_path: Path) -> None:
    for name in ("Makefile", "Pipfile.lock", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    done = subprocess.run(
        ["make", "test", "PYTHON=no-such-python"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode != 0
    assert "missing: Python 3.11, 3.12 or 3.13 ('no-such-python' is not there)" in done.stderr
    assert not (tmp_path / ".venv").exists()
    assert not (tmp_path / "node_modules").exists()
