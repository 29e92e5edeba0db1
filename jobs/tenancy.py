"""The name of a tenancy, and where its files lie. What the tenancy file says is infra's."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import TenancyError

VARIABLE = "TUNESTACK_TENANCY"
DEFAULT = Path("tenancies/demo.yaml")


@dataclass(frozen=True)
class Tenancy:
    """One tenancy file's name, and the places that carry it."""

    name: str

    @property
    def definitions(self) -> Path:
        """The folder that ``emit`` fills and the other commands read."""
        return Path("definitions") / self.name

    @property
    def ledger(self) -> Path:
        """The ledger of what was run."""
        return Path(".tunestack") / self.name / "ledger.db"

    @property
    def workbench(self) -> str:
        """The stack whose outputs hold the definitions."""
        return f"{self.name}-workbench"


def file_of(path: Path | None) -> Path:
    """*path*, else what ``TUNESTACK_TENANCY`` names, else ``tenancies/demo.yaml``."""
    return path or Path(os.environ.get(VARIABLE) or DEFAULT)


def find(path: Path | None) -> Tenancy:
    """The tenancy of *path*, else of ``TUNESTACK_TENANCY``, else of ``tenancies/demo.yaml``.

    Raises:
        TenancyError: no such file, or not a YAML file.
    """
    chosen = file_of(path)
    if chosen.suffix not in {".yaml", ".yml"}:
        raise TenancyError(
            f"{chosen} is not a tenancy file.", "Name a .yaml file, as in tenancies/demo.yaml."
        )
    if not chosen.is_file():
        raise TenancyError(f"There is no tenancy file {chosen}.", _others(chosen.parent))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", chosen.stem):
        raise TenancyError(
            f"{chosen.name} cannot name a tenancy.",
            "Its name becomes stack and folder names: use letters, digits, '-', '_' and '.'.",
        )
    return Tenancy(chosen.stem)


def _others(folder: Path) -> str:
    found = sorted(str(file) for file in folder.glob("*.yaml")) if folder.is_dir() else []
    if not found:
        return f"Name one with --tenancy or {VARIABLE}."
    return f"There are: {', '.join(found)}. Name one with --tenancy or {VARIABLE}."
