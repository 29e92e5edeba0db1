"""What watching many job runs at once costs: API calls a minute, time, and memory.

    .venv/bin/python -m benchmarks.runner_fleet [--looks N] [--quick]

10, 100 and 1,000 job runs under way on an ocimock server of their own, each watched by a
process of its own with N looks, one every ten seconds (of a clock that is moved: nobody waits), in
both ways: the runner's (``jobs.poller``) and a get for every run. The exit status says nothing
about the figures.
"""

from __future__ import annotations

import argparse
import json

from .runner.servers import python, server
from .speed.figures import console, milliseconds, table

SIZES = (10, 100, 1000)
QUICK = (3,)
WAYS = {"poller": "lists of 100", "gets": "a get each"}


def main() -> int:
    asked = _arguments()
    shown = table(
        "Job runs under way, looked at every 10 s",
        "by", "runs", "calls a minute", "time for them", "memory",
    )  # fmt: skip
    for size in QUICK if asked.quick else SIZES:
        with server("--pace", "1", "--run-seconds", "1000000") as env:
            ocids = json.dumps(python("fleet_worker", "make", str(size), env=env))
            for way, name in WAYS.items():
                looks = str(1 if asked.quick else asked.looks)
                found = python("fleet_worker", "watch", way, looks, env=env, said=ocids)
                shown.add_row(
                    name,
                    f"{size:,}",
                    f"{found['calls']:,.0f}",
                    milliseconds(found["seconds"]),
                    f"{found['megabytes']:.0f} MB",
                )
    console.print(shown)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runner_fleet", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--looks", type=int, default=12, help="at each fleet (12: two minutes)")
    parser.add_argument("--quick", action="store_true", help="a small fleet, looked at once")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
