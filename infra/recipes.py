"""The scripts that run inside a job, read as files and put into the bucket as they are."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "jobs" / "recipes"
MOUNT = "recipes"
"""Folder of the bucket, and name of the mount: ``/mnt/recipes``."""

_FILES = ("llama_recipes/with_hf_token.py", "llama_recipes/samsum_dataset.py", "merge.py")


class RecipeMissingError(Exception):
    """A script that the definitions name is not in the working copy."""


def texts() -> dict[str, str]:
    """File name → text of each script; Terraform sees them unchanged.

    Raises RecipeMissingError.
    """
    found = {}
    for relative in _FILES:
        file = FOLDER / relative
        if not file.is_file():
            raise RecipeMissingError(
                f"{file}: no such file. The job definitions run it: restore it (git checkout)."
            )
        found[file.name] = terraform_literal(file.read_text(encoding="utf-8"))
    return found


def terraform_literal(text: str) -> str:
    """The text with Terraform's template marks escaped, so that it arrives as written."""
    return text.replace("${", "$${").replace("%{", "%%{")
