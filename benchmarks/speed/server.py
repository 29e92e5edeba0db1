"""Through a port: one client by the SDKs, then eight connections of wrk's."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from .figures import Plan, console, in_turns, rate, reaches, table, times, verdict
from .inprocess import CALLS
from .processes import BenchmarkError, Server, moto_server, ocimock_server, worker

_TIMES_MOTO = 4.0
_TIMES_MOTO_WRK = 5.0
_CONNECTIONS = 8
# Long enough for a few of the slowest answers.
_WRK_SECONDS = 4
_WRK_ROUNDS = 3
_ERRORS = re.compile(r"Non-2xx|Socket errors: connect [1-9]|read [1-9]|write [1-9]")
_WITH_STATE = ("put", "get", "create_group")

# What wrk asks for: its name, ocimock's path, moto's.
_PAGES = (
    ("GET object, 1 KiB", "/n/ocimock/b/small/o/one", "/small/one"),
    (
        "list 1,000 objects",
        "/n/ocimock/b/many/o?fields=name,size,etag,timeModified&limit=1000",
        "/many?list-type=2&max-keys=1000",
    ),
)


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        plain = stack.enter_context(ocimock_server())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ocimock-speed-"))
        state = stack.enter_context(ocimock_server("--state", str(Path(folder) / "state.db")))
        moto = stack.enter_context(moto_server(plan.moto)) if plan.moto else None
        peers = {
            "ocimock": stack.enter_context(worker("oci_worker", plain.home)),
            "state": stack.enter_context(worker("oci_worker", state.home)),
        }
        if moto and plan.moto:
            peers["moto"] = stack.enter_context(worker("aws_worker", moto.url, python=plan.moto))
        shown = table(
            "\nServer, one client through the SDKs, calls a second",
            "",
            "ocimock",
            "with --state",
            "moto",
            "times moto's",
            f"≥ {_TIMES_MOTO:.0f} x",
        )
        for call, title, both in CALLS:
            able = {
                name: partial(peer.rate, call, plan.seconds)
                for name, peer in peers.items()
                if (both or name != "moto") and (call in _WITH_STATE or name != "state")
            }
            taken = in_turns(plan.rounds, able)
            ratio = taken.ratio("ocimock", "moto")
            shown.add_row(
                title,
                *(rate(taken.median(name)) for name in ("ocimock", "state", "moto")),
                times(ratio),
                verdict(reaches(ratio, _TIMES_MOTO)),
            )
        console.print(shown)
        _run_wrk(plan, plain, moto)


def _run_wrk(plan: Plan, own: Server, moto: Server | None) -> None:
    if shutil.which("wrk") is None:
        console.print("\nwrk is not here (Debian: apt-get install wrk): nothing under load")
        return
    shown = table(
        f"\nServer under wrk, {_CONNECTIONS} connections, requests a second",
        "",
        "ocimock",
        "moto",
        "times moto's",
        f"≥ {_TIMES_MOTO_WRK:.0f} x",
    )
    for title, path, other_path in _PAGES:
        takers = {"ocimock": partial(_wrk, own.url + path)}
        if moto is not None:
            takers["moto"] = partial(_wrk, moto.url + other_path)
        taken = in_turns(min(plan.rounds, _WRK_ROUNDS), takers)
        ratio = taken.ratio("ocimock", "moto")
        shown.add_row(
            title,
            *(rate(taken.median(name)) for name in ("ocimock", "moto")),
            times(ratio),
            verdict(reaches(ratio, _TIMES_MOTO_WRK)),
        )
    console.print(shown)


def _wrk(url: str) -> float:
    """Requests a second.

    :raises BenchmarkError: there were no answers, or errors among them.
    """
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_WRK_SECONDS}s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or float(found.group(1)) == 0 or _ERRORS.search(said):
        raise BenchmarkError(f"wrk {url}: {said.strip()}")
    return float(found.group(1))
