"""Buckets of up to 100,000 objects: what a put and a page of the list take in each."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from .figures import Plan, console, in_turns, milliseconds, table, verdict
from .processes import BenchmarkError, Server, ocimock_server

_SIZES = (1_000, 10_000, 100_000)
_QUICK_SIZES = (1_000, 2_000)
_COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
# Flat: in a bucket a hundred times as large no more than this many times as long. The objects of a
# page were made at different times and lie all over the memory: the processor's caches do not hold
# them in a large bucket.
_FLAT = 1.5
_CALLS = 10
_MIDDLE = "objects/0500000"

_REQUESTS = {
    "put, 1 KiB": ("PUT", f"/o/{_MIDDLE}"),
    "first page of 1,000": ("GET", "/o?limit=1000"),
    "of 400 in the middle": ("GET", f"/o?limit=400&startAfter={_MIDDLE}"),
    "by prefix": ("GET", "/o?prefix=objects/00000"),
}


def run(plan: Plan) -> None:
    """Measure and print. Plain HTTP: the SDK's own time would hide the server's."""
    sizes = _QUICK_SIZES if plan.quick else _SIZES
    shown = table(
        "\nBuckets of several sizes, a request over plain HTTP: the server's processor time",
        "",
        *(f"{size:,} objects" for size in sizes),
        f"flat (< {_FLAT:.1f} x)",
    )
    with ocimock_server() as server:
        client = _Client(server)
        for size in sizes:
            client.fill(size)
        for title, (method, path) in _REQUESTS.items():
            taken = in_turns(
                plan.rounds,
                {
                    str(size): partial(
                        _seconds, server.pid, partial(client.ask, size, method, path)
                    )
                    for size in sizes
                },
            )
            growth = taken.ratio(str(sizes[-1]), str(sizes[0]))
            shown.add_row(
                title,
                *(milliseconds(taken.median(str(size))) for size in sizes),
                verdict(None if growth is None else growth < _FLAT),
            )
        client.close()
    console.print(shown)


class _Client:
    """One connection, kept alive."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port)

    def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The answer's body.

        :raises BenchmarkError: the server refused.
        """
        self._connection.request(method, path, body, {"content-type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise BenchmarkError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content

    def fill(self, size: int) -> None:
        """A bucket of *size* objects; its name is the number."""
        body = json.dumps({"name": str(size), "compartmentId": _COMPARTMENT}).encode()
        self.send("POST", "/n/ocimock/b", body)
        for number in range(size):
            # Not in the order of creation: each comes somewhere between the others.
            name = f"objects/{number * 7919 % 1_000_003:07d}"
            self.ask(size, "PUT", f"/o/{name}")

    def ask(self, bucket: int, method: str, path: str) -> None:
        """Put a body of 1 KiB, or get a list with the fields that S3's has."""
        query = "&fields=name,size,etag,timeModified" if method == "GET" else ""
        body = b"x" * 1024 if method == "PUT" else b""
        self.send(method, f"/n/ocimock/b/{bucket}{path}{query}", body)

    def close(self) -> None:
        self._connection.close()


def _seconds(pid: int, call: Callable[[], None]) -> float:
    """What one *call* costs the server."""
    started = _clock(pid)
    for _ in range(_CALLS):
        call()
    return (_clock(pid) - started) / _CALLS


def _clock(pid: int) -> float:
    """Seconds that the process has been on a processor: what others do does not count.

    Source: the kernel's documentation of scheduler statistics. Real time where there are none.
    """
    statistics = Path(f"/proc/{pid}/schedstat")
    if not statistics.exists():
        return time.perf_counter()
    return int(statistics.read_text().split()[0]) / 1e9
