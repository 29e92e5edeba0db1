"""The worker on OCI's side: ``python -m benchmarks.speed.oci_worker [HOME]``.

Without HOME its calls go to ocimock in this process; with it, to the server whose home that is.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import oci

from .oci_calls import OciCalls
from .protocol import rate, serve

REGION = "us-ashburn-1"  # the home region: groups are created there


class Worker:
    """What the benchmark may ask for; the calls' state is made at the first that needs it."""

    def __init__(self, home: str | None) -> None:
        self._home = home
        self._calls: OciCalls | None = None
        self._config: dict[str, str] = {}
        self._mock: Any = None

    def measure(self, call: str, seconds: float) -> float:
        """Calls a second."""
        calls = self._ready()
        try:
            return rate(calls.calls[call], seconds, own_work=not self._home)
        finally:
            calls.tidy()

    def enter(self, seconds: float) -> float:
        """How often a second a mock is entered and left again."""
        from ocimock import mock_oci

        def once() -> None:
            with mock_oci():
                pass

        return rate(once, seconds, own_work=True)

    def first(self) -> dict[str, float]:
        """What a process pays once, in seconds: the first mock, and the first call in it."""
        from ocimock import mock_oci

        started = time.perf_counter()
        with mock_oci() as mocked:
            entered = time.perf_counter()
            client = oci.object_storage.ObjectStorageClient(mocked.config)
            ready = time.perf_counter()
            client.get_namespace()
            return {"enter": entered - started, "call": time.perf_counter() - ready}

    def canned(self) -> dict[str, Any]:
        """One answer to each call, with the configuration, for a worker that has no mock."""
        calls = self._ready()
        answers = {}
        for name, call in calls.calls.items():
            caught: list[Any] = []

            def catch(response: Any, *_: Any, to: list[Any] = caught, **__: Any) -> None:
                body = base64.b64encode(response.content).decode()
                to.append([response.status_code, dict(response.headers), body])

            for client in calls.clients():
                client.base_client.session.hooks["response"] = [catch]
            call()
            answers[name] = caught[-1]
        for client in calls.clients():
            client.base_client.session.hooks["response"] = []
        calls.tidy()
        return {"config": self._config, "answers": answers}

    def _ready(self) -> OciCalls:
        if self._calls is None:
            self._calls = self._to_server(self._home) if self._home else self._in_process()
            self._calls.prepare()
        return self._calls

    def _in_process(self) -> OciCalls:
        from ocimock import mock_oci

        self._mock = mock_oci()  # kept: it ends with the process
        mocked = self._mock.__enter__()
        self._config = {**mocked.config, "region": REGION}
        return OciCalls(self._config, mocked.namespace, mocked.compartment_id, None)

    def _to_server(self, home: str) -> OciCalls:
        from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE

        self._config = oci.config.from_file(str(Path(home) / "config"))
        url = json.loads((Path(home) / "server.json").read_text())["url"]
        return OciCalls(self._config, NAMESPACE, COMPARTMENT_ID, url)


if __name__ == "__main__":
    worker = Worker(sys.argv[1] if len(sys.argv) > 1 else None)
    serve(
        {
            "measure": worker.measure,
            "enter": worker.enter,
            "first": worker.first,
            "canned": worker.canned,
        }
    )
