"""The plan of the house: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent

# What the modules of a room must never import.
_FORBIDDEN = {
    "sizing": {"infra", "jobs", "ocimock", "demo", "gitops", "ads", "oci", "cdktf", "cdktn"},
    "infra": {"jobs", "ocimock", "demo", "ads", "oci"},
    "jobs": {"infra", "ocimock", "demo", "cdktf", "cdktn"},
    "ocimock": {"infra", "jobs", "demo", "ads", "cdktf", "cdktn"},
    "demo": {"infra", "jobs", "cdktf", "cdktn"},
    "gitops": {"infra", "jobs", "ocimock", "demo", "ads", "cdktf", "cdktn"},
}
# What only these may import of another room all the same: the tenancy file is read by its schema,
# policies are evaluated by the evaluator that the mock enforces them with, and the statement to
# add is the one that the stacks write.
_ALLOWED = {
    "jobs/plan_tenancy.py": ("infra.tenancy", "infra.plan"),
    "jobs/preflight/policies.py": ("ocimock.iam",),
    "jobs/preflight/iam_statements.py": ("infra.statements",),
}
_SEAM = _ROOT / "infra" / "cdk.py"
_RECIPES = _ROOT / "jobs" / "recipes"


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("room", sorted(_FORBIDDEN))
def test_arrows_never_run_backwards(room: str) -> None:
    modules = sorted((_ROOT / room).rglob("*.py"))
    assert modules
    wrong = [
        f"{path.relative_to(_ROOT)} imports {name}"
        for path in modules
        if path != _SEAM
        for name in _imports(path)
        if name.split(".")[0] in _FORBIDDEN[room]
        if not name.startswith(_ALLOWED.get(path.relative_to(_ROOT).as_posix(), ("-",)))
    ]
    assert not wrong


def test_cdktf_has_one_seam() -> None:
    importers = [
        str(path.relative_to(_ROOT))
        for path in [_ROOT / "main.py", *(_ROOT / "infra").rglob("*.py")]
        if any(name.split(".")[0] in ("cdktf", "cdktn") for name in _imports(path))
    ]
    assert set(importers) <= {"infra/cdk.py"}


def test_recipes_import_nothing_of_ours() -> None:
    rooms = {"infra", "jobs", "ocimock", "demo", "tests"}
    for path in _RECIPES.rglob("*.py"):
        assert not {name.split(".")[0] for name in _imports(path)} & rooms, path


def test_only_recipes_and_the_lazy_parts_of_jobs_import_ads() -> None:
    """``import ads`` takes seconds: never at the top of a module."""
    for path in (_ROOT / "jobs").rglob("*.py"):
        if _RECIPES in path.parents:
            continue
        top = [node for node in ast.parse(path.read_text()).body
               if isinstance(node, (ast.Import, ast.ImportFrom))]  # fmt: skip
        names = {alias.name.split(".")[0] for node in top if isinstance(node, ast.Import)
                 for alias in node.names}  # fmt: skip
        names |= {(node.module or "").split(".")[0] for node in top
                  if isinstance(node, ast.ImportFrom) and node.level == 0}  # fmt: skip
        assert not names & {"ads", "oci", "ocifs", "pandas"}, path


_SERVICES = sorted(path.parent for path in (_ROOT / "ocimock" / "services").glob("*/__init__.py"))


@pytest.mark.parametrize("folder", _SERVICES, ids=lambda folder: folder.name)
def test_every_service_has_the_same_few_files(folder: Path) -> None:
    """base: SERVICE; operations: what registers, and nothing else; __init__: what is not there."""
    about = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert "Not here: " in about
    base = ast.parse((folder / "base.py").read_text())
    assigned = [node.targets[0] for node in base.body if isinstance(node, ast.Assign)]
    assert "SERVICE" in [target.id for target in assigned if isinstance(target, ast.Name)]
    operations = ast.parse((folder / "operations.py").read_text())
    assert not [node for node in operations.body if isinstance(node, ast.FunctionDef)]
    registering = {
        path.stem
        for path in folder.glob("*.py")
        if path.stem != "base" and "\n@SERVICE." in path.read_text()
    }
    imported = {
        alias.name
        for node in operations.body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    assert registering <= imported
