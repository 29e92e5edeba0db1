"""What comes before the first call: the import, and the server's start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import oci

from .figures import Plan, console, in_turns, milliseconds, table, verdict
from .processes import (
    ROOT,
    BenchmarkError,
    environment,
    free_port,
    moto_server,
    ocimock_server,
)

_IMPORT_SECONDS = 0.05
_START_SECONDS = 1.0
_IMPORT = """
import time
import {sdk}
started = time.process_time()
import {mock}
print(time.process_time() - started)
"""
_OCI = ("oci, oci.object_storage, oci.identity, oci.data_science", "ocimock.inprocess")
_AWS = ("boto3", "moto")


def run(plan: Plan) -> None:
    """Measure and print."""
    shown = table("\nStart, median", "", "ocimock", "moto", "target", "")
    taken = in_turns(plan.rounds, _imports(plan))
    own = taken.median("ocimock")
    shown.add_row(
        "import, beyond the SDK's",
        milliseconds(own),
        milliseconds(taken.median("moto")),
        milliseconds(_IMPORT_SECONDS),
        verdict(own is not None and own < _IMPORT_SECONDS),
    )
    taken = in_turns(plan.rounds, _starts(plan))
    for title, name, other in (
        ("server, to its first answer", "health", "moto"),
        ("server, to the first answered call of the SDK", "call", ""),
    ):
        own = taken.median(name)
        shown.add_row(
            title,
            milliseconds(own),
            milliseconds(taken.median(other)),
            milliseconds(_START_SECONDS),
            verdict(own is not None and own < _START_SECONDS),
        )
    console.print(shown)


def _imports(plan: Plan) -> dict[str, Callable[[], float]]:
    takers = {"ocimock": partial(_seconds_to_import, sys.executable, *_OCI)}
    if plan.moto:
        takers["moto"] = partial(_seconds_to_import, plan.moto, *_AWS)
    for take in takers.values():
        take()  # so that Python has compiled everything
    return dict(takers)


def _seconds_to_import(python: str, sdk: str, mock: str) -> float:
    done = subprocess.run(
        [python, "-c", _IMPORT.format(sdk=sdk, mock=mock)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{python}: import {mock}: {done.stderr[-500:].strip()}")
    return float(done.stdout)


def _starts(plan: Plan) -> dict[str, Callable[[], float]]:
    port = free_port()
    with ocimock_server(port=port) as server:
        # Made and used once beforehand: what the SDK itself does first is not the server's.
        client = oci.object_storage.ObjectStorageClient(
            oci.config.from_file(f"{server.home}/config"),
            service_endpoint=server.url,
            retry_strategy=oci.retry.NoneRetryStrategy(),
        )
        client.get_namespace()

    def to_call() -> float:
        with ocimock_server(port=port) as server:
            started = time.monotonic()
            client.get_namespace()
            return server.seconds + time.monotonic() - started

    def to_health() -> float:
        with ocimock_server() as server:
            return server.seconds

    takers = {"health": to_health, "call": to_call}
    if plan.moto:
        takers["moto"] = partial(_moto_start, plan.moto)
    return takers


def _moto_start(python: str) -> float:
    with moto_server(python) as server:
        return server.seconds
