"""The page for people who want only ocimock: each command in its order, its Python."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.e2e

_PAGE = ROOT / "docs" / "ocimock.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Run by others: pip install by tests/ocimock/test_distribution.py.
_ELSEWHERE = ("pip install ",)

# A server occupies its terminal; the next command is typed in another. It ends with the script.
_SERVE = """\
[ -z "$server" ] || {{ kill $server; wait $server || true; }}
rm -f .ocimock/server.json
{command} >>printed 2>&1 &
server=$!
until [ -e .ocimock/server.json ]; do kill -0 $server; sleep 0.05; done
"""


def _blocks(language: str) -> list[str]:
    return [text for found, text in _FENCE.findall(_PAGE.read_text()) if found == language]


def _commands() -> list[str]:
    lines = [line for block in _blocks("console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a reader sees who types every command of the page."""
    folder = tmp_path_factory.mktemp("ocimock page")
    # A refused call is a command that failed.
    (folder / ".curlrc").write_text("fail-with-body\n")
    script = ["set -eu", "server=", 'trap "kill \\$server" EXIT']
    for command in _commands():
        if command.startswith(_ELSEWHERE):
            continue
        if command.startswith("python -m ocimock serve"):
            script.append(_SERVE.format(command=command))
        else:
            # What the shell itself is to keep can't go through a pipe.
            script.append(f"{command} >>printed 2>&1")
        script.append("echo >>printed")
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    text = (folder / "printed").read_text()
    assert done.returncode == 0, f"{done.stdout}\n{text}"
    return text


def test_every_command_does_what_the_page_says(printed: str) -> None:
    assert len(_commands()) >= 10
    for block in _blocks("text"):
        for line in block.splitlines():
            pattern = re.escape(line).replace("…", ".*")
            assert re.search(f"^{pattern}$", printed, re.MULTILINE), line


def test_the_tests_on_the_page_pass(tmp_path: Path) -> None:
    """Blocks with tests go through pytest; test_readme.py runs the others."""
    blocks = [block for block in _blocks("python") if "def test_" in block]
    assert len(blocks) >= 2
    for number, block in enumerate(blocks):
        (tmp_path / f"test_page_{number}.py").write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "ocimock.pytest_plugin"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(block.count('def test_') for block in blocks)} passed" in done.stdout


@pytest.mark.parametrize("command", ["serve", "env", "coverage"])
def test_every_option_that_the_page_names_is_there(command: str) -> None:
    """In prose too: ``python -m ocimock serve --state FILE``, or an option alone."""
    done = subprocess.run(
        [sys.executable, "-m", "ocimock", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
    )
    named = {
        word
        for line in re.findall(rf"python -m ocimock {command}([^`\n]*)", _PAGE.read_text())
        for word in shlex.split(line.replace('"', "").replace("'", "").rstrip(")"))
        if word.startswith("--")
    }
    assert all(option in done.stdout for option in named)
