"""Do the recipe's pins install on OCI? ``python -m tools.check_requirements``

The training runs on a conda environment of OCI, not on this machine's Python: ``jobs.preflight``
resolves for Linux and the environment's own Python and PyTorch. Wheels only, as a job's node should
not have to build anything.

Exit code 0: they resolve; 1: they do not, and why; 2: no package index could be asked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.preflight import resolving
from jobs.preflight.resolving import Package, UnreachableError, UnresolvableError

__all__ = ["Package", "UnreachableError", "UnresolvableError", "lines_of", "main", "resolve"]

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "jobs" / "recipes" / "requirements-sft.txt"

# Of the conda environment pytorch28_p312_gpu_x86_64_v1.
PYTHON = "3.12"
TORCH = "2.8.0"


def resolve(requirements: Sequence[str], *, torch: str | None = TORCH) -> dict[str, Package]:
    """The packages that would be installed beside *torch* (None: any that satisfies), by name.

    Raises:
        UnresolvableError: there is no such set of wheels.
        UnreachableError: it could not be found out.
    """
    found = resolving.resolve(requirements, PYTHON, torch=torch)
    if found.sources:
        raise UnresolvableError(f"{', '.join(found.sources)} has no wheel")
    return dict(found.packages)


def lines_of(path: Path) -> list[str]:
    """The requirements of a file, without its comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def main() -> int:
    name = REQUIREMENTS.relative_to(ROOT)
    try:
        packages = resolve(lines_of(REQUIREMENTS))
    except UnresolvableError as error:
        sys.stderr.write(f"{name} does not resolve for Python {PYTHON}:\n{error}\n")
        return 1
    except UnreachableError as error:
        sys.stderr.write(f"{name} could not be checked: {error}\n")
        return 2
    sys.stdout.write(
        f"{name} resolves for Python {PYTHON} with torch {TORCH}: {len(packages)} packages\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
