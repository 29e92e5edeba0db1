"""What a synth costs, beside the floor below which no CDKTF app gets: ``import cdktf`` alone.

    .venv/bin/python benchmarks/synth.py [rounds]

Prints the median wall time and the peak memory of the Python process of both, taken in turns in one
run, and their ratio. (jsii's Node process is in the time, not in the memory.)
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = {
    "import cdktf": ["-c", "import cdktf"],
    "python main.py": ["main.py"],
}


@dataclass(frozen=True)
class Sample:
    """One process: wall time in seconds, peak resident memory in MB."""

    seconds: float
    megabytes: float


def measure(arguments: list[str], folder: str) -> Sample:
    """Run Python with *arguments* once.

    :raises RuntimeError: it failed.
    """
    started = time.monotonic()
    quiet = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    environment = {**os.environ, **quiet, "CDKTF_OUTDIR": folder}
    pid = os.posix_spawn(sys.executable, [sys.executable, *arguments], environment)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"python {' '.join(arguments)} failed")
    return Sample(time.monotonic() - started, usage.ru_maxrss / 1024)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    os.chdir(ROOT)
    samples: dict[str, list[Sample]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, arguments in CASES.items():
                samples[name].append(measure(arguments, folder))
    floor = 0.0
    for name, taken in samples.items():
        seconds = statistics.median(sample.seconds for sample in taken)
        megabytes = max(sample.megabytes for sample in taken)
        floor = floor or seconds
        print(f"{name:16} {seconds:6.2f} s  {megabytes:6.0f} MB  {seconds / floor:5.2f} x")


if __name__ == "__main__":
    main()
