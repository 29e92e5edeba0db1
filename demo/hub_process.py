"""The stand-in for the Hugging Face hub as a process of its own, found again by its file."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import DemoError
from .hub.server import named
from .places import FOLDER, ROOT

_START_SECONDS = 20.0
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class HubProcess:
    """A running hub: its process, and its port on loopback."""

    pid: int
    port: int


def running() -> HubProcess | None:
    """The hub, while it answers under the address in its file.

    Its process's id alone says nothing: after a restart of the machine it is another program's.
    """
    found = _noted()
    if found is None:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("HEAD", "/")
        said = connection.getresponse().getheader("Server")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return found if said == named(found.pid) else None


def start(folder: Path, token: str) -> HubProcess:
    """Start a hub that serves *folder*, to those who bear *token*.

    One that was killed is started under the port that it had, where that is still to be had: an
    embedded OCI that runs knows no other.

    :raises DemoError: it does not say in time where it listens.
    """
    before = _noted()
    found = _begin(folder, token, before.port) if before else None
    found = found or _begin(folder, token, 0)
    if found is None:
        raise DemoError(f"the stand-in for the hub did not start; its log: {FOLDER / 'hub.log'}")
    _file().write_text(json.dumps(asdict(found)) + "\n")
    return found


def stop() -> None:
    """End the hub, if there is one."""
    found = running()
    if found is not None:
        os.kill(found.pid, signal.SIGTERM)
    _file().unlink(missing_ok=True)


def _begin(folder: Path, token: str, port: int) -> HubProcess | None:
    """A hub on *port*, 0 for any; None when it ended, or was silent for too long."""
    command = [sys.executable, "-m", "demo.hub", "--folder", str(folder), "--port", str(port)]
    log = FOLDER / "hub.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "HUB_TOKEN": token},
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if listening := _port(log):
            return HubProcess(process.pid, listening)
        time.sleep(0.05)
    process.kill()
    return None


def _noted() -> HubProcess | None:
    """What the file says; None where there is none, or it is not whole."""
    try:
        return HubProcess(**json.loads(_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _file() -> Path:
    return FOLDER / "hub.json"


def _port(log: Path) -> int | None:
    """The port that its first line ends in, once it is there."""
    line, end, _ = log.read_text(errors="replace").partition("\n")
    digits = line.rstrip("/").rpartition(":")[2]
    return int(digits) if end and digits.isdigit() else None
