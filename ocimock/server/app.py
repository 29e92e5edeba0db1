"""The ASGI application: one request in, the dispatcher's answer out, and ``/ocimock/…``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from ..clock import Clock
from ..cloud import Cloud
from ..dispatch import UnknownHostError, dispatch, shown_path
from ..faults import AnswerDropped
from ..store.state_file import StateFile, StateFileError
from ..wire.body import Body, Spool
from ..wire.message import Headers, Relay, Request, Response
from . import pages
from .relaying import head, pass_on

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CONNECTION = "ocimock.connection"
"""Under which the protocol puts into the scope the transport, an ``asyncio.Transport``."""

_log = logging.getLogger(__name__)


class ClientLeft(Exception):  # noqa: N818 - no error, only an end
    """The client went away before its request was whole."""


class Application:
    """Serves one :class:`~ocimock.cloud.Cloud`; :meth:`reset` gives it a fresh one."""

    def __init__(
        self, cloud: Cloud, state: StateFile | None = None, *, node_ports: Collection[int] = ()
    ) -> None:
        """*node_ports* are those by which job runs and deployments come: they get OCI alone.

        On the mock's own pages they could make themselves credentials, or another time.
        """
        self.cloud = cloud
        self._state = state
        self._node_ports = node_ports

    def reset(self) -> None:
        """Begin anew: nothing stands, and no time has passed.

        :raises StateFileError: the file can't be written; all is as it was.
        """
        state, before = self._state, self.cloud
        clock = Clock(before.clock.pace)
        with before.lock:
            if state is not None:
                with state.renewed(before):
                    fresh = Cloud(
                        before.settings, clock=clock, state=state, execution=before.execution
                    )
            else:
                before.blobs.clear()
                # The folder of bodies stays: one may be on its way in at this moment, or out.
                fresh = Cloud(
                    before.settings, clock=clock, blobs=before.blobs, execution=before.execution
                )
            if before.execution is not None:
                before.execution.abandon()
            self.cloud = fresh

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        connection: asyncio.Transport = scope[CONNECTION]
        try:
            await self._serve(scope, receive, send, connection)
        except asyncio.CancelledError:
            # The server ends, and the client has not sent or read all for as long as it waits.
            connection.abort()

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, connection: asyncio.Transport
    ) -> None:
        try:
            body = await _read(receive, self.cloud.blobs.spool())
        except ClientLeft:
            return  # nothing of half a request is done
        except OSError as fault:
            response = _error(500, "InternalServerError", f"the body can't be kept: {fault}")
        else:
            try:
                response = self._answer(scope, body)
            except AnswerDropped:
                await _hang_up(connection, receive)
                return
        if isinstance(response, Relay):
            whole = await pass_on(response, receive, send)
        else:
            whole = await _sent(send, response, connection, with_body=scope["method"] != "HEAD")
        if not whole:
            await _hang_up(connection, receive)

    def _answer(self, scope: Scope, body: Body) -> Response:
        """:raises AnswerDropped: see :meth:`answer`."""
        try:
            request = _request(scope, body)
        except ValueError as fault:
            return _error(400, "CannotParseRequest", f"the request's address: {fault}")
        _, port = scope.get("server") or ("", None)
        if port in self._node_ports and request.path.startswith(pages.PREFIX):
            return _error(403, "Forbidden", f"{pages.PREFIX} is not for what runs on a node")
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        """The mock's answer, or its own pages below ``/ocimock/``.

        :raises AnswerDropped: a fault rule wants the connection to end without the answer.
        """
        try:
            if request.path.startswith(pages.PREFIX):
                return pages.answer(self, request)
            return dispatch(self.cloud, request)
        except AnswerDropped:
            raise
        except UnknownHostError as fault:
            return _error(502, "UnknownHost", str(fault))
        except StateFileError as fault:
            _log.error("%s %s: %s", request.method, shown_path(request.path), str(fault))
            return _error(500, "InternalServerError", str(fault))
        except Exception:  # noqa: BLE001 - the server goes on, whatever it was
            _log.exception("ocimock failed at %s %s", request.method, shown_path(request.path))
            message = "a fault of ocimock itself; its output says more"
            return _error(500, "InternalServerError", message)


def _request(scope: Scope, body: Body) -> Request:
    # uvicorn gives the names in lower case.
    headers = Headers.lower((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
    path = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    target = (path + b"?" + query if query else path).decode()
    return Request.received(
        scope["method"], scope["scheme"], headers.get("host", ""), target, headers, body
    )


async def _read(receive: Receive, spool: Spool) -> Body:
    """The whole body.

    :raises ClientLeft: it never came to its end.
    :raises OSError: the disk is full, say.
    """
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            if chunk := message.get("body"):
                spool.write(chunk)
            if not message.get("more_body"):
                return spool.finish()
    except (ClientLeft, OSError):
        spool.discard()
        raise


async def _hang_up(connection: asyncio.Transport, receive: Receive) -> None:
    connection.abort()
    await receive()  # until the end of the connection has come through


async def _sent(
    send: Send, response: Response, connection: asyncio.Transport, *, with_body: bool
) -> bool:
    """Send *response*; False where the client left in the middle of its body."""
    headers = {"content-length": str(len(response.body)), **response.headers}
    await send(head(response.status, headers))
    body = response.body if isinstance(response.body, Body) else Body.of(response.body)
    # In pieces: the connection takes more as the client reads.
    for piece in body.pieces() if with_body else ():
        if connection.is_closing():
            return False  # nobody needs the gigabytes that are left
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    return True


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
