"""OCI's paths on a server that speaks OpenAI's: ``/predict`` and ``/health``.

OCI calls a container at these two only. The server's own endpoint is put into the request's place,
so a stream stays a stream and nothing is copied. This is an ASGI middleware without any import of
a framework: vLLM takes it with ``--middleware``, the small server too.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_PREDICT = "/predict"
# A request may name another endpoint than the deployment does, in this header: ADS's own clients
# of OCI's container do. Source: ads.aqua.client.
_ROUTE = b"route"
_ROUTES = "/v1/"


class ContractPaths:
    """Leads the container's contract to the server's own endpoints."""

    def __init__(self, app: Application) -> None:
        settings = Settings.read(os.environ)
        self._app = app
        self._paths = {_PREDICT: settings.predict_endpoint, "/health": settings.health_endpoint}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            path = self._paths[scope["path"]]
            if scope["path"] == _PREDICT:
                path = _route(scope) or path
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


def _route(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _ROUTE and (text := value.decode("latin-1")).startswith(_ROUTES):
            return str(text)
    return None
