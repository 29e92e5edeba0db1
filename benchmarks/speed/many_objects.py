"""A bucket that grows to 100,000 objects: what a put and a page of the list take at each size."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from .figures import Plan, console, milliseconds, table, verdict
from .processes import BenchmarkError, Server, ocimock_server

_SIZES = (1_000, 10_000, 100_000)
_QUICK_SIZES = (1_000, 2_000)
_BUCKET = "/n/ocimock/b/growing"
_COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
# Flat: at the largest size no more than this many times what it was at the smallest that fills
# a page. Noise of a busy machine is in it.
_FLAT = 1.5
_MIDDLE = "objects/0500000"


def run(plan: Plan) -> None:
    """Measure and print. Plain HTTP: the SDK's own time would hide the server's."""
    sizes = _QUICK_SIZES if plan.quick else _SIZES
    shown = table(
        "\nOne bucket that grows: what a request over plain HTTP costs the server (processor time)",
        "objects",
        "put, 1 KiB",
        "first page of 1,000",
        "of 400 in the middle",
        "by prefix",
        f"flat (< {_FLAT} x)",
    )
    first: list[float] = []
    with ocimock_server() as server:
        client = _Client(server)
        client.send("POST", "/n/ocimock/b", b'{"name": "growing", "compartmentId": "%s"}'
                    % _COMPARTMENT.encode())  # fmt: skip
        filled = 0
        for size in sizes:
            for number in range(filled, size):
                client.put(number)
            filled = size
            taken = [
                _seconds(plan, server.pid, partial(client.put, size // 2)),
                _seconds(plan, server.pid, partial(client.list, "&limit=1000")),
                _seconds(
                    plan, server.pid, partial(client.list, f"&limit=400&startAfter={_MIDDLE}")
                ),
                _seconds(plan, server.pid, partial(client.list, "&prefix=objects/00000")),
            ]
            first = first or taken
            flat = all(now < _FLAT * then for now, then in zip(taken, first, strict=True))
            shown.add_row(f"{size:,}", *map(milliseconds, taken), verdict(flat))
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

    def put(self, number: int) -> None:
        self.send("PUT", f"{_BUCKET}/o/{_name(number)}", b"x" * 1024)

    def list(self, query: str) -> None:
        self.send("GET", f"{_BUCKET}/o?fields=name,size,etag,timeModified{query}")

    def close(self) -> None:
        self._connection.close()


def _name(number: int) -> str:
    # Not in the order of creation: each put comes somewhere between the others.
    return f"objects/{number * 7919 % 1_000_003:07d}"


def _seconds(plan: Plan, pid: int, call: Callable[[], None]) -> float:
    """What one *call* costs the server."""
    count = max(20, plan.rounds * 10)
    call()
    started = _clock(pid)
    for _ in range(count):
        call()
    return (_clock(pid) - started) / count


def _clock(pid: int) -> float:
    """Seconds that the process has been on a processor: what others do does not count.

    Source: the kernel's documentation of scheduler statistics. Real time where there are none.
    """
    statistics = Path(f"/proc/{pid}/schedstat")
    if not statistics.exists():
        return time.perf_counter()
    return int(statistics.read_text().split()[0]) / 1e9
