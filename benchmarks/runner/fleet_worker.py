"""One process of the fleet's benchmark: makes job runs, or watches those that it reads.

python -m benchmarks.runner.fleet_worker make COUNT
python -m benchmarks.runner.fleet_worker watch {poller,gets} LOOKS <ocids.json
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from oci.base_client import BaseClient

from jobs import auth, states
from jobs.clock import SystemClock
from jobs.poller import Poller

from . import tenancy

INTERVAL = 10.0
"""Seconds between two looks."""


class _Clock(SystemClock):
    """One that is moved by sleeping alone."""

    def __init__(self) -> None:
        self._now = super().now()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def make(count: int) -> list[str]:
    """The OCIDs of *count* job runs under way."""
    client = tenancy.science()
    project = tenancy.project(client)
    return tenancy.job_runs(client, project, tenancy.job(client, project), count)


def watch(way: str, looks: int, ocids: list[str]) -> dict[str, float]:
    """Calls a minute, seconds that are spent on them, and the most memory in MB; the clock is
    moved, nobody sleeps."""
    auth.sign_in()
    entries = [tenancy.entry(ocid) for ocid in ocids]
    clock = _Clock()
    poller = Poller(tenancy.COMPARTMENT, INTERVAL, clock)
    ways: dict[str, Callable[[], Any]] = {
        "poller": lambda: poller.observe_all(entries),
        "gets": lambda: [states.observe(entry) for entry in entries],
    }
    calls = _counted()
    started = time.monotonic()
    for _ in range(looks):
        states_now = ways[way]()
        assert len(states_now) == len(ocids)
        clock.sleep(INTERVAL)
    minutes = looks * INTERVAL / 60
    return {
        "calls": len(calls) / minutes,
        "seconds": (time.monotonic() - started) / minutes,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _counted() -> list[None]:
    """Grows by one with every request that the SDK sends."""
    sent: list[None] = []
    original = BaseClient.request

    def request(self: Any, *arguments: Any, **named: Any) -> Any:
        sent.append(None)
        return original(self, *arguments, **named)

    BaseClient.request = request
    return sent


def main() -> None:
    if sys.argv[1] == "make":
        print(json.dumps(make(int(sys.argv[2]))))
    else:
        print(json.dumps(watch(sys.argv[2], int(sys.argv[3]), json.load(sys.stdin))))


if __name__ == "__main__":
    main()
