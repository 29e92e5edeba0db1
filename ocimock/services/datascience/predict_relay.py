"""The exchange with the server of a deployment that really runs."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from ...wire.body import Body
from ...wire.errors import ServiceError, ServiceUnavailable
from ...wire.message import Response

# Seconds to be let in; the server is on this machine.
_CONNECT_SECONDS = 5.0
_PIECE = 64 * 1024  # bytes
# Of one connection alone, or written anew on the other one. The signature is OCI's own affair.
_NOT_SENT = frozenset(
    (
        "authorization", "connection", "content-length", "date", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "x-content-sha256", "x-date",
    )
)  # fmt: skip
_NOT_ANSWERED = frozenset(
    ("connection", "date", "keep-alive", "server", "trailer", "transfer-encoding", "upgrade")
)

Ended = Callable[[int, float], None]
"""Hears of the end: the status, and the seconds that it took."""


class Exchange:
    """One request to the server and its answer. See :class:`ocimock.wire.message.Source`.

    :param connect: a connection to the server, within as many seconds.
    :param seconds: the most that all of it may take, in real time.
    """

    def __init__(
        self,
        connect: Callable[[float], socket.socket],
        path: str,
        headers: Mapping[str, str],
        body: Body,
        *,
        seconds: float,
        ended: Ended,
    ) -> None:
        self._connect = connect
        self._path = path
        self._headers = headers
        self._body = body
        self._seconds = seconds
        self._ended = ended
        self._started = time.monotonic()
        self._socket: socket.socket | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._refusal = b""
        self._status = 503
        self._is_aborted = threading.Event()

    def open(self) -> Response:
        """Ask. What goes wrong is an answer too, as OCI gives it."""
        try:
            answer = self._ask()
        except TimeoutError:
            return self._refused(ServiceError(self._too_slow()).response())
        except (OSError, http.client.HTTPException) as fault:
            # Source: OCI documentation, "Predict Endpoint"; so is that of 500 above.
            text = f"Model server unavailable. (ocimock: {fault or type(fault).__name__})"
            return self._refused(ServiceUnavailable(text).response())
        self._answer = answer
        self._status = answer.status
        fields = {
            name.lower(): text
            for name, text in answer.getheaders()
            if name.lower() not in _NOT_ANSWERED
        }
        return Response(answer.status, fields)

    def pieces(self) -> Iterator[bytes]:
        """:raises OSError: the server broke off, or took too long."""
        if self._refusal:
            yield self._refusal
        while self._answer is not None:
            self._hurry()
            try:
                piece = self._answer.read1(_PIECE)
            except http.client.HTTPException as fault:
                raise OSError(f"the model's server broke off ({fault!r})") from None
            if not piece:
                if self._answer.length:
                    raise OSError("the model's server broke off")
                return
            yield piece

    def abort(self) -> None:
        self._is_aborted.set()
        if self._socket is not None:
            # Wakes a thread that reads; closing alone would not.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._answer is not None:
            self._answer.close()
        self._ended(self._status, time.monotonic() - self._started)

    def _ask(self) -> http.client.HTTPResponse:
        self._socket = self._connect(min(_CONNECT_SECONDS, self._seconds))
        if self._is_aborted.is_set():
            raise ConnectionAbortedError("the client left")
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = self._socket
        self._hurry()
        connection.putrequest("POST", self._path, skip_accept_encoding=True)
        for name, text in self._headers.items():
            if name not in _NOT_SENT:
                connection.putheader(name, text)
        connection.putheader("content-length", str(self._body.size))
        connection.putheader("connection", "close")
        connection.endheaders()
        for piece in self._body.pieces():
            connection.send(piece)
        self._hurry()
        return connection.getresponse()

    def _hurry(self) -> None:
        """:raises TimeoutError: there is no time left."""
        left = self._seconds - (time.monotonic() - self._started)
        if left <= 0 or self._socket is None:
            raise TimeoutError(self._too_slow())
        self._socket.settimeout(left)

    def _too_slow(self) -> str:
        return f"Service Timeout. (ocimock: no whole answer in {self._seconds:g} s)"

    def _refused(self, response: Response) -> Response:
        self._status = response.status
        self._refusal = bytes(response.body)
        return Response(response.status, response.headers)
