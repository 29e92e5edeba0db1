"""The scripts that run inside a job, read as files and put into the bucket as they are."""

import shlex
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "jobs" / "recipes"
MOUNT = "code"
"""Folder of the bucket, and name of the mount: ``/mnt/code``."""
PACKAGE = "recipes"
"""Name of the package in it; ``PYTHONPATH`` is the mount."""

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Else Python writes bytecode beside the code: into the bucket, which then can't be destroyed."""

CODE = f"/mnt/{MOUNT}"
BASE = "/mnt/base"
DATA = "/mnt/data"
OUTPUTS = "/mnt/outputs"
MERGED = "/mnt/merged"
"""Where the bucket's folders are mounted in a job."""

SAMSUM = "llama_recipes/samsum_dataset.py"
_REQUIREMENTS = "requirements-sft.txt"
# What the definitions name: a module is a file or a package.
_NEEDED = ("stage", "sft", "merge", SAMSUM, _REQUIREMENTS)
_UPLOADED = ("*.py", "requirements*.txt")


class RecipeMissingError(Exception):
    """A script that the definitions name is not in the working copy."""


def texts() -> dict[str, str]:
    """Path in the bucket's folder → text of each script; Terraform sees them unchanged.

    Raises RecipeMissingError.
    """
    for name in _NEEDED:
        _need(name)
    files = sorted(file for pattern in _UPLOADED for file in FOLDER.rglob(pattern))
    return {
        f"{PACKAGE}/{file.relative_to(FOLDER).as_posix()}": terraform_literal(
            file.read_text(encoding="utf-8")
        )
        for file in files
    }


def packages() -> tuple[str, ...]:
    """What our recipes want installed, as pip spells it, from their requirements file.

    Raises RecipeMissingError.
    """
    _need(_REQUIREMENTS)
    lines = (FOLDER / _REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    found = (line.partition("#")[0].strip() for line in lines)
    return tuple(text for text in found if text)


def pip_words(names: tuple[str, ...]) -> str:
    """The packages as one text, quoted where a shell would read more into a name."""
    return " ".join(shlex.quote(name) for name in names)


def terraform_literal(text: str) -> str:
    """The text with Terraform's template marks escaped, so that it arrives as written."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _need(name: str) -> None:
    file = FOLDER / name
    candidates = (file,) if file.suffix else (file.with_suffix(".py"), file / "__main__.py")
    if not any(each.is_file() for each in candidates):
        raise RecipeMissingError(
            f"{candidates[0]}: no such file. The job definitions run it: restore it (git checkout)."
        )
