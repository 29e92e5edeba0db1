"""The worker that measures OCI's SDK alone: ``python -m benchmarks.speed.stub_worker``.

Its HTTP adapter answers at once with what it was told: what is left is the SDK's own work, signing
and deserialisation included. No code of ocimock runs here.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import urllib3
from oci._vendor.requests import Response
from oci._vendor.requests.adapters import HTTPAdapter
from oci._vendor.requests.structures import CaseInsensitiveDict

from .oci_calls import OciCalls
from .protocol import rate, serve


class Worker:
    """Calls whose answers are canned."""

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}
        self._calls: OciCalls | None = None

    def load(self, config: dict[str, str], answers: dict[str, Any]) -> None:
        """Take the *config* and *answers* of an ``oci_worker``."""
        self._calls = OciCalls(config, "namespace", "compartment", None)
        for name, (status, headers, body) in answers.items():
            self._answers[name] = (status, headers, base64.b64decode(body))

    def measure(self, call: str, seconds: float) -> float:
        """Calls a second."""
        assert self._calls is not None
        status, headers, body = self._answers[call]
        HTTPAdapter.send = _sender(status, headers, body)
        return rate(self._calls.calls[call], seconds, own_work=True)


def _sender(status: int, headers: dict[str, str], body: bytes) -> Any:
    def send(self: Any, request: Any, *_: Any, **__: Any) -> Response:
        response = Response()
        response.status_code = status
        response.headers = CaseInsensitiveDict(headers)
        response.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        response.url = request.url
        response.request = request
        response.connection = self
        return response

    return send


if __name__ == "__main__":
    worker = Worker()
    serve({"load": worker.load, "measure": worker.measure})
