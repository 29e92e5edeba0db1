"""The ASGI application: one request in, the dispatcher's answer out, and ``/ocimock/…``."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any

from ..cloud import Cloud
from ..dispatch import UnknownHostError, dispatch
from ..wire.message import Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_ADMIN = "/ocimock/"


class Application:
    """Serves one :class:`~ocimock.cloud.Cloud`; ``POST /ocimock/reset`` gives it a fresh one."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        request = _request(scope, await _read(receive))
        response = self.answer(request)
        headers = {"content-length": str(len(response.body)), **response.headers}
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (name.encode(), text.encode("latin-1")) for name, text in headers.items()
                ],
            }
        )
        body = b"" if request.method == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    def answer(self, request: Request) -> Response:
        """The mock's answer, or its own pages below ``/ocimock/``."""
        if request.path.startswith(_ADMIN):
            return self._administer(request)
        try:
            return dispatch(self.cloud, request)
        except UnknownHostError as fault:
            return Response.of_json({"code": "UnknownHost", "message": str(fault)}, 502)

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
        return Response.of_json({"code": "NotFound", "message": "no such page of ocimock"}, 404)

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
            return Response.of_json({"code": "InvalidParameter", "message": message}, 400)
        return Response.of_json({"now": self.cloud.clock.timestamp()})


def _request(scope: Scope, body: bytes) -> Request:
    headers = scope["headers"]
    authority = next((value for name, value in headers if name.lower() == b"host"), b"").decode()
    path = scope.get("raw_path") or scope["path"].encode()
    url = f"{scope['scheme']}://{authority}{path.decode()}?{scope['query_string'].decode()}"
    return Request.from_url(scope["method"], url, headers, body)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
