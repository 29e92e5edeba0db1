"""Answers that somebody else gives: fetched by a thread of their own, sent on piece by piece.

The mock answers other calls meanwhile. Where the client leaves, the exchange behind it ends too.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ..wire.message import Relay, Response

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)

# Pieces that wait for a client that reads slowly; then the other side waits too.
_WAITING = 4


class _Left(Exception):  # noqa: N818 - no error, only an end
    """The client went away."""


class _Over(BaseException):
    """Nobody is there any more to be told anything."""


class _Fetcher:
    """Brings an answer from its thread to the loop: a Response first, bytes, None at the end.

    An OSError stands for an end before the end.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[Response | bytes | OSError | None] = asyncio.Queue(_WAITING)
        threading.Thread(target=self._fetch, name="relay", daemon=True).start()

    async def next(self) -> Response | bytes | OSError | None:
        return await self._ready.get()

    async def abandon(self) -> None:
        """End the exchange, and wait for its thread, which may wait for room."""
        self._relay.source.abort()
        while isinstance(await self._ready.get(), Response | bytes):
            pass

    def _fetch(self) -> None:
        with contextlib.suppress(_Over):
            self._put(self._told())

    def _told(self) -> OSError | None:
        """Tell all of the answer; why it broke off, if it did."""
        try:
            with contextlib.closing(self._relay.source):
                self._put(self._relay.opened())
                for piece in self._relay.source.pieces():
                    self._put(piece)
        except OSError as fault:
            return fault
        except Exception as fault:  # noqa: BLE001 - somebody waits, whatever it was
            _log.exception("ocimock failed while it passed an answer on")
            return OSError(str(fault))
        return None

    def _put(self, item: Response | bytes | OSError | None) -> None:
        """:raises _Over: the server has ended, and its loop."""
        putting = self._ready.put(item)
        try:
            asyncio.run_coroutine_threadsafe(putting, self._loop).result()
        except (RuntimeError, concurrent.futures.CancelledError):
            putting.close()
            raise _Over from None


async def pass_on(relay: Relay, receive: Receive, send: Send) -> bool:
    """Fetch and send; False where it broke off, so that the connection must too."""
    fetcher = _Fetcher(relay)
    leaving = asyncio.ensure_future(_leaves(receive))
    ended = False
    try:
        while True:
            item = await _unless(leaving, fetcher.next())
            ended = not isinstance(item, Response | bytes)
            if isinstance(item, OSError):
                return False
            if item is None:
                await send({"type": "http.response.body", "body": b""})
                return True
            if isinstance(item, Response):
                await send(head(item.status, item.headers))
            else:
                await send({"type": "http.response.body", "body": item, "more_body": True})
    except _Left:
        return True  # there is no connection any more to break off
    finally:
        leaving.cancel()
        if not ended:
            await fetcher.abandon()


def head(status: int, headers: Mapping[str, str]) -> Message:
    """The start of an answer, as ASGI has it."""
    fields = [(name.encode(), _field(text)) for name, text in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": fields}


async def _leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless(
    leaving: asyncio.Future[None], wanted: Awaitable[Response | bytes | OSError | None]
) -> Response | bytes | OSError | None:
    """:raises _Left: the client left first."""
    waiting = asyncio.ensure_future(wanted)
    await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    raise _Left


def _field(text: str) -> bytes:
    """A header field's bytes, as they came where they came in a header."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
