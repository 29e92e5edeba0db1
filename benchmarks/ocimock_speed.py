"""ocimock's speed, beside OCI's SDK alone and beside moto, in one run.

    make bench
    .venv/bin/python -m benchmarks.ocimock_speed [SECTION …] [--rounds N] [--quick] [--moto PYTHON]

Sections: start, inprocess, server, many, large; all of them if none is named. Peers take turns,
figures are medians, and whether a target holds is said beside it. The exit status says nothing
about the figures: a benchmark is no test. moto is looked for in ``.tools/bench`` (``make bench``
puts it there, from the lock's category ``benchmarks``); without it its columns stay empty.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .speed import inprocess, large_object, many_objects, server, startup
from .speed.figures import Plan, console, print_machine
from .speed.processes import ROOT, BenchmarkError

SECTIONS: dict[str, Callable[[Plan], None]] = {
    "start": startup.run,
    "inprocess": inprocess.run,
    "server": server.run,
    "many": many_objects.run,
    "large": large_object.run,
}
_MOTO = ROOT / ".tools" / "bench" / "bin" / "python"


def main() -> int:
    asked = _arguments()
    plan = Plan(
        moto=_with_moto(asked.moto),
        rounds=asked.rounds or (1 if asked.quick else 9),
        seconds=0.05 if asked.quick else 0.2,
        quick=asked.quick,
    )
    print_machine(plan)
    for name in asked.sections or SECTIONS:
        try:
            SECTIONS[name](plan)
        except BenchmarkError as fault:
            console.print(f"\n{name}: {fault}", style="red", markup=False)
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ocimock_speed", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="how often each figure is taken (9)")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one round")
    parser.add_argument("--moto", type=Path, default=_MOTO, help="the Python that has moto")
    asked = parser.parse_args()
    if unknown := [name for name in asked.sections if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return asked


def _with_moto(python: Path) -> str | None:
    """*python*, if it can import moto's server; else None, and a word on how to get it."""
    script = "import boto3, flask, moto; print(moto.__version__, boto3.__version__)"
    try:
        done = subprocess.run(
            [str(python), "-c", script], capture_output=True, text=True, check=False
        )
    except OSError:
        done = None
    if done is None or done.returncode:
        console.print(f"no moto in {python}: its columns stay empty; `make bench` installs it")
        return None
    console.print("moto {}, boto3 {}".format(*done.stdout.split()))
    return str(python)


if __name__ == "__main__":
    sys.exit(main())
