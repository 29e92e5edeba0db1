"""Whether the server of a deployment answers: OCI's health check."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable

_PATH = "/health"
# Seconds that a server may take to be let in, and to say that it is well.
_SECONDS = 2.0

Connect = Callable[[int, float], socket.socket]
"""A connection to a port, within as many seconds."""


def is_healthy(connect: Connect, port: int) -> bool:
    """Whether ``GET /health`` is answered with 200."""
    try:
        with connect(port, _SECONDS) as opened:
            opened.settimeout(_SECONDS)
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.sock = opened
            connection.request("GET", _PATH, headers={"connection": "close"})
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
