"""How long `jobs plan` and `jobs preflight` take, each in a process of its own.

    .venv/bin/python -m benchmarks.looking_first [--rounds N] [--quick]

The plan is that of tenancies/demo.yaml. Preflight looks at a whole tenancy on an ocimock server
that verifies signatures and enforces policies, with hub and package index on loopback; its first
look resolves the packages, later ones know the answer. Medians; the exit status says nothing about
the figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ocimock.served import ServedCloud
from ocimock.server.running import running_server
from tests.jobs.preflight.whole import neighbours, stood_up

from .speed.figures import console, table, verdict
from .speed.processes import ROOT, BenchmarkError

MOST_PLAN, MOST_PREFLIGHT = 1.0, 5.0
_DEMO = str(ROOT / "tenancies" / "demo.yaml")


def main() -> int:
    asked = _arguments()
    rounds = 1 if asked.quick else asked.rounds
    shown = table("A process of its own", "", "seconds", "")
    plan = statistics.median(_seconds(["plan"], ROOT) for _ in range(rounds))
    shown.add_row("jobs plan", f"{plan:.2f}", _target(plan, MOST_PLAN))
    with tempfile.TemporaryDirectory(prefix="looking-first-") as folder:
        for name, seconds in _preflight(Path(folder), rounds):
            shown.add_row(name, f"{seconds:.2f}", _target(seconds, MOST_PREFLIGHT))
    console.print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.", shown, sep="\n")
    return 0


def _preflight(folder: Path, rounds: int) -> list[tuple[str, float]]:
    """What was asked, and how long it took."""
    with (
        running_server(
            folder / "mock", "--port", "0", "--pace", "0", "--enforce-iam", "--verify-signatures"
        ) as server,
        neighbours(folder / "hub") as around,
        stood_up(ServedCloud(server), folder / "home", around, server.environment) as made,
    ):
        first = _seconds(["preflight"], made.home)
        again = statistics.median(_seconds(["preflight"], made.home) for _ in range(rounds))
        offline = ["preflight", "--offline"]
        alone = statistics.median(_seconds(offline, made.home) for _ in range(rounds))
    return [
        ("jobs preflight, for the first time", first),
        ("jobs preflight", again),
        ("jobs preflight --offline", alone),
    ]


def _seconds(words: list[str], home: Path) -> float:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *words, "--tenancy", _DEMO],
        cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchmarkError(f"jobs {' '.join(words)}: {done.stdout}{done.stderr}")
    return time.monotonic() - started


def _target(taken: float, most: float) -> str:
    return f"≤ {most:g} s {verdict(taken <= most)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round: a glance")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
