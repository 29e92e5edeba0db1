"""The exchange with the server behind a deployment, and how its answer is passed on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ocimock.cloud import Cloud
from ocimock.dispatch import dispatch
from ocimock.registry import services
from ocimock.services.datascience.predict_relay import Exchange
from ocimock.wire.body import Body
from ocimock.wire.message import Relay, Request, Response

_PATIENCE = 30.0
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"

Serve = Callable[[socket.socket, bytes], None]
"""What a server does with a connection and the request that came."""


@contextmanager
def exchange(
    serve: Serve, headers: dict[str, str] | None = None, seconds: float = _PATIENCE
) -> Iterator[tuple[Exchange, list[int]]]:
    """An exchange with *serve*, and the statuses that it ended with."""
    client, server = socket.socketpair()
    ended: list[int] = []

    def answer() -> None:
        with server:
            serve(server, _request(server))

    made = Exchange(
        lambda timeout: client,
        "/predict",
        headers or {},
        Body.of(b"the body"),
        seconds=seconds,
        ended=lambda status, took: ended.append(status),
    )
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield made, ended
    finally:
        made.close()
        thread.join()


def _request(server: socket.socket) -> bytes:
    """All of a request that ends in the body of :func:`exchange`."""
    found = b""
    while not found.endswith(b"the body"):
        if not (piece := server.recv(65536)):
            return found
        found += piece
    return found


def whole(made: Exchange) -> tuple[Response, bytes]:
    return made.open(), b"".join(made.pieces())


def test_it_sends_what_it_was_given_but_the_signature_and_what_is_of_the_connection() -> None:
    seen: list[bytes] = []

    def serve(server: socket.socket, request: bytes) -> None:
        seen.append(request)
        server.sendall(_HEAD + b"server: s\r\ncontent-length: 2\r\n\r\nOK")

    headers = {
        "authorization": "Signature …".encode().decode("latin-1"),
        "x-content-sha256": "x",
        "content-length": "999",
        "host": "oracle",
        "accept": "text/plain",
    }
    with exchange(serve, headers) as (made, ended):
        response, body = whole(made)
    assert (response.status, body, ended) == (200, b"OK", [200])
    assert response.headers == {"content-type": "text/plain", "content-length": "2"}
    line, *fields = seen[0].decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
    assert line == "POST /predict HTTP/1.1"
    names = {field.split(":")[0].lower(): field.split(": ")[1] for field in fields}
    assert names["accept"] == "text/plain"
    assert names["content-length"] == "8"
    assert not {"authorization", "x-content-sha256"} & set(names)
    assert names["host"] != "oracle"


def test_no_server_is_503() -> None:
    def connect(timeout: float) -> socket.socket:
        raise ConnectionRefusedError("nobody listens")

    ended: list[int] = []
    made = Exchange(
        connect, "/predict", {}, Body.of(b""), seconds=1.0,
        ended=lambda status, took: ended.append(status),
    )  # fmt: skip
    response, body = whole(made)
    made.close()
    assert (response.status, ended) == (503, [503])
    assert b"ServiceUnavailable" in body
    assert b"nobody listens" in body


def test_a_server_that_ends_without_an_answer_is_503() -> None:
    with exchange(lambda server, request: None) as (made, _):
        response, body = whole(made)
    assert response.status == 503
    assert b"Model server unavailable." in body


def test_a_server_that_takes_too_long_is_500_as_oci_has_it() -> None:
    done = threading.Event()
    with exchange(lambda server, request: _wait(done), seconds=0.05) as (made, ended):
        response, body = whole(made)
        done.set()
    assert response.status == 500
    assert b"InternalServerError" in body
    assert b"Service Timeout." in body
    assert ended == [500]


def _wait(done: threading.Event) -> None:
    assert done.wait(_PATIENCE)


def test_a_stream_that_takes_too_long_breaks_off() -> None:
    done = threading.Event()

    def serve(server: socket.socket, request: bytes) -> None:
        server.sendall(_HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nOK\r\n")
        _wait(done)

    with exchange(serve, seconds=0.3) as (made, _):
        assert made.open().status == 200
        pieces = made.pieces()
        assert next(pieces) == b"OK"
        with pytest.raises(OSError):
            next(pieces)
        done.set()


@pytest.mark.parametrize(
    "answer", [b"content-length: 9\r\n\r\nhalf", b"transfer-encoding: chunked\r\n\r\n9\r\nhalf"]
)
def test_half_an_answer_is_none(answer: bytes) -> None:
    def serve(server: socket.socket, request: bytes) -> None:
        server.sendall(_HEAD + answer)

    with exchange(serve) as (made, _):
        assert made.open().status == 200
        with pytest.raises(OSError, match="broke off"):
            b"".join(made.pieces())


def test_who_gives_up_is_not_kept_waiting() -> None:
    began, left = threading.Event(), threading.Event()

    def serve(server: socket.socket, request: bytes) -> None:
        began.set()
        assert server.recv(1) == b""
        left.set()

    with exchange(serve) as (made, _):
        asking = threading.Thread(target=made.open)
        asking.start()
        _wait(began)
        made.abort()
        asking.join(_PATIENCE)
        assert not asking.is_alive()
        _wait(left)


# --- in the process, and in the dispatcher -------------------------------------------------


class Given:
    """A source with an answer at hand."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.closed = 0

    def open(self) -> Response:
        return Response(201, {"a": "source", "b": "source"})

    def pieces(self) -> Iterator[bytes]:
        yield from self._pieces

    def abort(self) -> None:
        """Nobody waits here."""

    def close(self) -> None:
        self.closed += 1


def test_a_relay_can_be_fetched_whole() -> None:
    source, told = Given(b"one ", b"two"), list[int]()
    relay = Relay(200, {"a": "relay"}, source=source, told=told.append)
    found = relay.fetched()
    assert (found.status, found.body, told) == (201, b"one two", [201])
    assert found.headers == {"a": "relay", "b": "source"}
    assert source.closed == 1


def test_a_relay_is_no_first_answer_to_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a retry token too it is asked anew: only the server knows the answer."""
    relays: list[Relay] = []

    def handler(call: Any) -> Response:
        relays.append(Relay(source=Given(b"x")))
        return relays[-1]

    cloud = Cloud()
    monkeypatch.setitem(services()["datascience"].handlers, "predict", handler)
    request = Request.from_url(
        "POST",
        "https://modeldeployment.eu-frankfurt-1.oci.customer-oci.com/ocid1.x/predict",
        {"opc-retry-token": "token"},
    )
    first, second = dispatch(cloud, request), dispatch(cloud, request)
    assert (first, second) == (relays[0], relays[1])
    assert list(cloud.calls) == []
    assert isinstance(first, Relay)
    first.fetched()
    assert [(call.operation, call.status) for call in cloud.calls] == [("predict", 201)]
