"""An ocimock server, and processes that find it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.processes import ROOT, BenchmarkError, environment
from ocimock.served import ServedCloud
from ocimock.server.running import running_server

_CORES = "ds-standard2-core-regional-count"


@contextlib.contextmanager
def server(*options: str) -> Iterator[dict[str, str]]:
    """``python -m ocimock serve`` on a free port; the environment of whoever should find it."""
    with (
        tempfile.TemporaryDirectory(prefix="runner-speed-") as home,
        running_server(Path(home), "--port", "0", *options) as running,
    ):
        # A thousand runs at once are more than a tenancy may have without asking.
        ServedCloud(running).limits.set(_CORES, 10**6)
        yield {**environment(), **running.environment}


def python(module: str, *arguments: str, env: Mapping[str, str], said: str = "") -> Any:
    """What a module of this package prints as JSON; it reads *said*.

    :raises BenchmarkError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.runner.{module}", *arguments],
        cwd=ROOT, env=dict(env), input=said, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchmarkError(f"{module} {' '.join(arguments)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
