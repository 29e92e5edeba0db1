"""The embedded OCI: started when it is not there, found again when it is, ended by its id."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocimock.server.announcement import ServerFile

from .errors import DemoError
from .places import FOLDER, MOCK_HOME, ROOT

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOG = FOLDER / "ocimock.log"


@dataclass(frozen=True)
class EmbeddedCloud:
    """A running server: its process, its address, and what clients must export."""

    pid: int
    url: str
    environment: dict[str, str]

    def standing(self) -> dict[str, int]:
        """How many resources of each kind stand."""
        found = _get(f"{self.url}/ocimock/state")
        return dict(found["standing"])

    def terraform_environment(self) -> dict[str, str]:
        """Only what Terraform's provider needs: its own downloads must not go through the mock."""
        wanted = ("CLIENT_HOST_OVERRIDES", "CHECKPOINT_DISABLE")
        return {
            name: text
            for name, text in self.environment.items()
            if name in wanted or name.startswith("TF_VAR_")
        }


def running() -> EmbeddedCloud | None:
    """The demo's server when it answers under the address in its file."""
    found = ServerFile.read(MOCK_HOME)
    if found is None:
        return None
    try:
        healthy = _get(f"{found.url}/ocimock/health")["mock"] == "ocimock"
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    return EmbeddedCloud(found.pid, found.url, found.environment) if healthy else None


def start(options: Sequence[str] = ()) -> EmbeddedCloud:
    """Start the server as a process of its own, which outlives this one.

    :param options: further words for ``ocimock serve``.
    :raises DemoError: it does not answer in time.
    """
    MOCK_HOME.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ocimock", "serve", "--home", str(MOCK_HOME), *options]
    with _LOG.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if (cloud := running()) is not None:
            return cloud
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise DemoError(f"the embedded OCI did not start; its log: {_LOG}")


def stop(cloud: EmbeddedCloud) -> None:
    """End the server's process and wait until it is gone."""
    try:
        os.kill(cloud.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline and running() is not None:
        time.sleep(0.05)


def _get(url: str) -> dict[str, Any]:
    # No proxy: the environment may name the mock itself as one.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
