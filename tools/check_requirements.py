"""Do the recipe's pins install on OCI? ``python tools/check_requirements.py``

The training runs on a conda environment of OCI, not on this machine's Python; pip cannot resolve
for another one (its --python-version leaves environment markers as they are). uv can: it is asked
for Linux and the environment's own Python and PyTorch, and for wheels only, as a job's node should
not have to build anything.

Exit code 0: they resolve; 1: they do not, and why; 2: no package index could be asked.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "jobs" / "recipes" / "requirements-sft.txt"

# Of the conda environment pytorch28_p312_gpu_x86_64_v1. OCI's GPU images are Oracle Linux 8
# (glibc 2.28).
PYTHON = "3.12"
TORCH = "2.8.0"
PLATFORM = "x86_64-manylinux_2_28"

_UNREACHABLE = ("Failed to fetch", "error sending request", "dns error", "Network connectivity")


class UnreachableError(Exception):
    """uv is not installed here, or no package index answered; the message says which."""


class UnresolvableError(Exception):
    """No set of versions satisfies the requirements; the message is uv's explanation."""


@dataclass(frozen=True)
class Package:
    """A package of the resolution."""

    name: str
    version: str


def resolve(requirements: Sequence[str], *, torch: str | None = TORCH) -> dict[str, Package]:
    """The packages that would be installed beside *torch* (None: any that satisfies), by name.

    Raises:
        UnresolvableError: there is no such set of wheels.
        UnreachableError: it could not be found out.
    """
    if importlib.util.find_spec("uv") is None:
        raise UnreachableError("uv is not installed (make setup installs it)")
    with tempfile.TemporaryDirectory() as folder:
        wanted, given = Path(folder, "requirements.txt"), Path(folder, "constraints.txt")
        wanted.write_text("\n".join(requirements) + "\n")
        given.write_text(f"torch=={torch}\n" if torch else "")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", str(wanted)),
                *("--constraint", str(given), "--python-version", PYTHON),
                *("--python-platform", PLATFORM, "--only-binary", ":all:"),
                *("--no-header", "--no-annotate", "--quiet"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return _packages(done.stdout)
    if any(sign in done.stderr for sign in _UNREACHABLE):
        raise UnreachableError(done.stderr.strip())
    raise UnresolvableError(done.stderr.strip())


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


def _packages(text: str) -> dict[str, Package]:
    pairs = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {name: Package(name, version) for name, _, version in pairs}


if __name__ == "__main__":
    sys.exit(main())
