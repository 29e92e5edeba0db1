"""What the runner costs beside the bare calls of ADS, and how long its commands take.

    .venv/bin/python -m benchmarks.runner_overhead [--rounds N] [--quick]

One job is created, started and followed to its end on an ocimock server, in turns: by ADS's own
``Job.create``, ``run`` and ``sync``, and by the runner with its ledger. The run takes six seconds,
both look at it four times a second. What 'jobs run' looks for before it submits anything, once,
is not in it ('--no-preflight'). Then processes of their own: ``jobs --help``, and ``jobs
status`` with a ledger of five steps. Medians; the exit status says nothing about the figures.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .runner.servers import python, server
from .speed.figures import console, table, verdict
from .speed.processes import ROOT, BenchmarkError

MOST_RATIO, MOST_HELP, MOST_STATUS = 1.1, 0.3, 1.0
RUN_SECONDS = 6.0


def main() -> int:
    asked = _arguments()
    rounds = 1 if asked.quick else asked.rounds
    seconds = 0.3 if asked.quick else RUN_SECONDS
    with server("--pace", "1", "--run-seconds", str(seconds)) as env:
        taken = python("overhead_worker", str(rounds), env=env)
        ratio = statistics.median(
            ours / bare for ours, bare in zip(taken["runner"], taken["bare"], strict=True)
        )
        shown = table(f"A job of {seconds:g} s, {rounds} rounds", "", "seconds", "times", "")
        shown.add_row("ADS alone", f"{statistics.median(taken['bare']):.2f}", "", "")
        shown.add_row(
            "the runner",
            f"{statistics.median(taken['runner']):.2f}",
            f"{ratio:.2f}",
            f"≤ {MOST_RATIO} {verdict(ratio <= MOST_RATIO)}",
        )
        console.print(shown)
        with tempfile.TemporaryDirectory(prefix="runner-speed-") as home:
            python("status_worker", home, env=env)
            _commands(Path(home), env, rounds)
    return 0


def _commands(home: Path, env: Mapping[str, str], rounds: int) -> None:
    shown = table("\nA process of its own", "", "seconds", "of CPU", "")
    for words, most in ((["--help"], MOST_HELP), (["status"], MOST_STATUS)):
        took = [_seconds(words, home, env) for _ in range(rounds)]
        taken, busy = (statistics.median(figures) for figures in zip(*took, strict=True))
        target = f"≤ {most:g} s {verdict(taken <= most)}"
        shown.add_row(f"jobs {' '.join(words)}", f"{taken:.2f}", f"{busy:.2f}", target)
    console.print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.", shown, sep="\n")


def _seconds(words: Sequence[str], home: Path, env: Mapping[str, str]) -> tuple[float, float]:
    """How long one call of the command line takes, and how much of that it computes: on a machine
    that has other work, the first is longer. *home* has a tenancy file and its ledger."""
    started, busy = time.monotonic(), _busy()
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *words],
        cwd=home, env={**env, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchmarkError(f"jobs {' '.join(words)}: {done.stderr}")
    return time.monotonic() - started, _busy() - busy


def _busy() -> float:
    """Seconds of CPU that ended children have had."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runner_overhead", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often each figure is taken (7)")
    parser.add_argument("--quick", action="store_true", help="one round of a short run")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
