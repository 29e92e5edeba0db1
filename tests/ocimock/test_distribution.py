"""What ``pip install`` gives to those who want the mock alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import ocimock

_ROOT = Path(__file__).resolve().parents[2]
_BUCKET = """
import oci, ocimock
with ocimock.mock_oci() as cloud:
    storage = oci.object_storage.ObjectStorageClient(cloud.config)
    print(storage.get_namespace().data, ocimock.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what Git knows here, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=_ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (_ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((_ROOT / name).read_bytes())
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(folder), str(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    folder = wheel.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def _run(
    unpacked: Path, *command: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd or unpacked.parent,
        env={"PYTHONPATH": str(unpacked), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    tracked = {
        str(path.relative_to(_ROOT))
        for path in (_ROOT / "ocimock").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    information = {name for name in names if ".dist-info/" in name}
    assert names - information == tracked
    assert {"ocimock/py.typed", "ocimock/terraform/schema.json"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in information)


def test_it_says_what_it_is(unpacked: Path) -> None:
    (folder,) = unpacked.glob("*.dist-info")
    told = Parser().parsestr((folder / "METADATA").read_text())
    assert (told["Name"], told["Version"]) == ("ocimock", ocimock.__version__)
    assert told["License-Expression"] == "Apache-2.0"
    assert "what moto is to AWS" in told["Summary"]
    points = (folder / "entry_points.txt").read_text()
    assert "[console_scripts]\nocimock = ocimock.cli:main" in points
    assert "[pytest11]\nocimock = ocimock.pytest_plugin" in points


def test_all_that_it_imports_is_required() -> None:
    """Modules by the distributions that bring them; only the stand-in provider needs more."""
    brought_by = {"jwt": "pyjwt", "grpc": "grpcio"}
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]["terraform"]
    required = {_name(line) for line in project["dependencies"]}
    for path in (_ROOT / "ocimock").rglob("*.py"):
        allowed = required | {"pytest"} if path.name == "pytest_plugin.py" else required
        if "terraform" in path.parts:
            allowed = allowed | {_name(line) for line in extras}
        foreign = {name for name in _imports(path) if name not in sys.stdlib_module_names}
        wanted = {brought_by.get(name, name) for name in foreign - {"ocimock"}}
        assert wanted <= allowed, path


def _name(requirement: str) -> str:
    return requirement.partition(">=")[0]


def _imports(path: Path) -> set[str]:
    import ast

    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_it_mocks_from_where_it_was_unpacked(unpacked: Path) -> None:
    done = _run(unpacked, "-c", _BUCKET)
    assert done.stdout.split() == ["ocimock", f"{unpacked}/ocimock/__init__.py"], done.stderr


def test_it_has_its_command_line(unpacked: Path) -> None:
    done = _run(unpacked, "-m", "ocimock", "coverage")
    assert done.stdout.splitlines()[-1].startswith("all "), done.stderr


def test_pytest_finds_its_fixtures(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(oci_cloud):\n    oci_cloud.standing()\n")
    done = _run(unpacked, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout
