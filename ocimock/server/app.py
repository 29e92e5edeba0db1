"""The ASGI application: one request in, the dispatcher's answer out, and ``/ocimock/…``."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any

from ..cloud import Cloud
from ..dispatch import UnknownHostError, dispatch, shown_path
from ..wire.message import Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_ADMIN = "/ocimock/"
# How many bytes of an answer go to the connection at a time; it takes more as the client reads.
_PIECE = 1024 * 1024

_log = logging.getLogger(__name__)


class ClientLeft(Exception):  # noqa: N818 - no error, only an end
    """The client went away before its request was whole."""


class Application:
    """Serves one :class:`~ocimock.cloud.Cloud`; ``POST /ocimock/reset`` gives it a fresh one."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        try:
            body = await _read(receive)
        except ClientLeft:
            return  # nothing of half a request is done
        try:
            request = _request(scope, body)
        except ValueError as fault:
            response = _error(400, "CannotParseRequest", f"the request's address: {fault}")
        else:
            response = self.answer(request)
        await _send(send, response, with_body=scope["method"] != "HEAD")

    def answer(self, request: Request) -> Response:
        """The mock's answer, or its own pages below ``/ocimock/``. Nothing is raised."""
        try:
            if request.path.startswith(_ADMIN):
                return self._administer(request)
            return dispatch(self.cloud, request)
        except UnknownHostError as fault:
            return _error(502, "UnknownHost", str(fault))
        except Exception:  # noqa: BLE001 - the server goes on, whatever it was
            _log.exception("ocimock failed at %s %s", request.method, shown_path(request.path))
            message = "a fault of ocimock itself; its output says more"
            return _error(500, "InternalServerError", message)

    def _administer(self, request: Request) -> Response:
        page = (request.method, request.path.removeprefix(_ADMIN))
        if page == ("GET", "health"):
            return Response.of_json({"status": "ok", "mock": "ocimock"})
        if page == ("GET", "state"):
            return Response.of_json({"standing": self._standing()})
        if page == ("GET", "calls"):
            return Response.of_json([asdict(call) for call in self.cloud.calls])
        if page == ("POST", "reset"):
            self._reset()
            return Response(204)
        if page == ("POST", "clock"):
            return self._advance(request)
        return _error(404, "NotFound", "no such page of ocimock")

    def _standing(self) -> dict[str, int]:
        """What stands, less what a fresh tenancy holds."""
        with self.cloud.lock:
            self.cloud.run_due_events()
            fresh = Cloud(self.cloud.settings).store.standing()
            standing = self.cloud.store.standing()
        counts = {kind: count - fresh.get(kind, 0) for kind, count in standing.items()}
        return {kind: count for kind, count in counts.items() if count}

    def _reset(self) -> None:
        fresh = Cloud(self.cloud.settings, clock=self.cloud.clock)
        fresh.base_url = self.cloud.base_url
        self.cloud = fresh

    def _advance(self, request: Request) -> Response:
        try:
            seconds = float(json.loads(request.body)["advance"])
            self.cloud.clock.advance(seconds)
        except (ValueError, KeyError, TypeError) as fault:
            message = f'POST {{"advance": seconds}}, seconds of 0 or more: {fault}'
            return _error(400, "InvalidParameter", message)
        return Response.of_json({"now": self.cloud.clock.timestamp()})


def _request(scope: Scope, body: bytes) -> Request:
    headers = scope["headers"]
    authority = next((value for name, value in headers if name.lower() == b"host"), b"").decode()
    path = scope.get("raw_path") or scope["path"].encode()
    url = f"{scope['scheme']}://{authority}{path.decode()}?{scope['query_string'].decode()}"
    return Request.from_url(scope["method"], url, headers, body)


async def _read(receive: Receive) -> bytes:
    """The whole body.

    :raises ClientLeft: it never came to its end.
    """
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(send: Send, response: Response, *, with_body: bool) -> None:
    headers = {"content-length": str(len(response.body)), **response.headers}
    fields = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": fields})
    body = memoryview(response.body if with_body else b"")
    for start in range(0, len(body) or 1, _PIECE):
        end = start + _PIECE
        piece = bytes(body[start:end])
        await send({"type": "http.response.body", "body": piece, "more_body": end < len(body)})


def _error(status: int, code: str, message: str) -> Response:
    return Response.of_json({"code": code, "message": message}, status)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
