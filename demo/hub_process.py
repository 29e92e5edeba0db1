"""The stand-in for the Hugging Face hub as a process of its own, found again by its file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import DemoError
from .places import FOLDER, ROOT

_START_SECONDS = 20.0


@dataclass(frozen=True)
class HubProcess:
    """A running hub: its process, and its port on loopback."""

    pid: int
    port: int


def running() -> HubProcess | None:
    """The hub, while its process is there."""
    try:
        found = HubProcess(**json.loads(_file().read_text()))
        os.kill(found.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return found


def start(folder: Path, token: str) -> HubProcess:
    """Start a hub that serves *folder*, to those who bear *token*.

    :raises DemoError: it does not say in time where it listens.
    """
    command = [sys.executable, "-m", "demo.hub", "--folder", str(folder), "--port", "0"]
    log = FOLDER / "hub.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "HUB_TOKEN": token},
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if port := _port(log):
            found = HubProcess(process.pid, port)
            _file().write_text(json.dumps(asdict(found)) + "\n")
            return found
        time.sleep(0.05)
    raise DemoError(f"the stand-in for the hub did not start; its log: {log}")


def stop() -> None:
    """End the hub, if there is one."""
    found = running()
    if found is not None:
        os.kill(found.pid, signal.SIGTERM)
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return FOLDER / "hub.json"


def _port(log: Path) -> int | None:
    """The port that its first line ends in, once it is there."""
    line, end, _ = log.read_text(errors="replace").partition("\n")
    digits = line.rstrip("/").rpartition(":")[2]
    return int(digits) if end and digits.isdigit() else None
