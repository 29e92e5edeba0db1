"""From a stack's outputs to definition files."""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .definitions import (
    FILES,
    PIPELINE_FILE,
    Definition,
    fallbacks,
    verify,
    verify_pipeline,
)
from .errors import OutputsError
from .files import write_atomically
from .tenancy import Tenancy

OUTPUT = "definitions"
STACKS = Path("cdktf.out/stacks")


@dataclass(frozen=True)
class Change:
    """A file that is not as the stacks say; *difference* is a unified diff from it to theirs."""

    path: Path
    difference: str


def emit(tenancy: Tenancy, outputs: Path | None, folder: Path) -> list[Path]:
    """Write all definitions to *folder*, from an outputs file or else from Terraform.

    All or nothing: what ADS would misread is refused before a file is touched. Fallback
    definitions that are there no more are deleted.

    Raises:
        OutputsError: no outputs, or no definitions among them.
        DefinitionError: a definition says something that ADS would drop.
    """
    texts = _checked(tenancy, outputs, folder)
    for name in reversed(texts):  # the pipeline last, so that it never names what is not there
        write_atomically(folder / name, texts[name])
    for path in _stale(folder, texts):
        path.unlink()
    return [folder / name for name in texts]


def changes(tenancy: Tenancy, outputs: Path | None, folder: Path) -> list[Change]:
    """What :func:`emit` would change in *folder*; writes nothing. Raises as it does."""
    texts = _checked(tenancy, outputs, folder)
    wanted = {folder / name: text for name, text in texts.items()}
    wanted |= dict.fromkeys(_stale(folder, texts), "")
    found = ((path, _read(path), text) for path, text in wanted.items())
    return [Change(path, _diff(path, old, new)) for path, old, new in found if old != new]


def _checked(tenancy: Tenancy, outputs: Path | None, folder: Path) -> dict[str, str]:
    """File name → text of all that the stacks emit, the pipeline first."""
    texts = _from_file(outputs, tenancy) if outputs else _from_terraform(tenancy)
    missing = [name for name in FILES if name not in texts]
    if missing:
        raise OutputsError(
            f"The output '{OUTPUT}' of {tenancy.workbench} holds no {', '.join(missing)}.",
            "Deploy the stacks of this version, then emit again.",
        )
    names = [*FILES, *fallbacks(texts)]
    verify(
        Definition(Path(name).stem, folder / name, texts[name])
        for name in names
        if name != PIPELINE_FILE
    )
    verify_pipeline(folder / PIPELINE_FILE, texts[PIPELINE_FILE], names)
    return {name: texts[name] for name in names}


def _stale(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """The fallback definitions of an earlier emission that had more of them."""
    there = fallbacks(path.name for path in folder.glob("*.yaml"))
    return [folder / name for name in there if name not in texts]


def _read(path: Path) -> str:
    """The file's text, '' without one; what is no UTF-8 differs from any text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _diff(path: Path, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), str(path), f"{path} as emitted", lineterm=""
    )
    return "\n".join(lines)


def _from_file(path: Path, tenancy: Tenancy) -> Mapping[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OutputsError(f"Cannot read the outputs file {path}: {error.strerror}.") from None
    except ValueError as error:
        raise OutputsError(f"The outputs file {path} is not JSON: {error}.") from None
    return _definitions(content, tenancy, str(path))


def output(tenancy: Tenancy, name: str) -> Any:
    """One output of the deployed workbench stack, as Terraform says it.

    Raises:
        OutputsError: the stack is not deployed, or has no such output.
    """
    folder = STACKS / tenancy.workbench
    advice = f"Deploy it first: cdktf deploy '{tenancy.workbench}'; or name a file by --outputs."
    if not folder.is_dir():
        raise OutputsError(f"There is no synthesized stack in {folder}.", advice)
    command = [_terraform(), f"-chdir={folder}", "output", "-no-color", "-json", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise OutputsError(
            f"{command[0]} is not installed, so the outputs cannot be read.",
            "Install Terraform 1.11 or newer, or name an outputs file by --outputs.",
        ) from None
    if done.returncode != 0:
        raise OutputsError(f"terraform output in {folder}: {_headline(done.stderr)}", advice)
    return json.loads(done.stdout)


def _from_terraform(tenancy: Tenancy) -> Mapping[str, str]:
    folder = STACKS / tenancy.workbench
    return _definitions(output(tenancy, OUTPUT), tenancy, f"terraform output in {folder}")


def _headline(stderr: str) -> str:
    """Terraform's own "Error: …" line, out of the box that it draws around a page of text."""
    found = re.search(r"^[│ ]*Error: (.+)$", stderr, re.MULTILINE)
    return found.group(1).strip() if found else " ".join(stderr.split())


def _terraform() -> str:
    return os.environ.get("TERRAFORM_BINARY_NAME", "terraform")  # the name that cdktf-cli reads


def _definitions(content: Any, tenancy: Tenancy, source: str) -> Mapping[str, str]:
    """The file texts, from any of the forms in which outputs are written.

    ``cdktf deploy --outputs-file`` nests them under the stack; ``terraform output -json`` wraps
    each in type and value; ``terraform output -json definitions`` is the map itself.
    """
    for key in (tenancy.workbench, OUTPUT, "value"):
        if isinstance(content, dict) and key in content:
            content = content[key]
    if isinstance(content, dict) and content and all(isinstance(v, str) for v in content.values()):
        return content
    raise OutputsError(
        f"{source} holds no output '{OUTPUT}' of {tenancy.workbench}.",
        "It must be a map of file names to YAML texts.",
    )
