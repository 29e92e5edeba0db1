"""Ports of a node that lead to the host: listened on in the node's network, connected from ours."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_CHUNK = 1 << 16


class Relay:
    """All forwards of a machine: one thread carries their bytes, while there are any."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def serve(self, listener: socket.socket, host: str, port: int) -> Callable[[], None]:
        """Whoever connects to *listener* talks to *port* of *host*, until the answer is called."""
        listener.setblocking(False)
        with self._changing:
            loop = self._running()
            self._count += 1
        forward = _Forward(host, port)
        asyncio.run_coroutine_threadsafe(forward.start(listener), loop).result()

        def close() -> None:
            asyncio.run_coroutine_threadsafe(forward.close(), loop).result()
            self._left()

        return close

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="ocimock relay", daemon=True
            )
            self._thread.start()
        return self._loop

    def _left(self) -> None:
        with self._changing:
            self._count -= 1
            if self._count or self._loop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None


class _Forward:
    """One listening port, and the connections that were made to it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._carry, sock=listener)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        writers = [writer]
        try:
            # Where the host's port is closed, the node's connection just ends.
            with suppress(OSError):
                there, out = await asyncio.open_connection(self._host, self._port)
                writers.append(out)
                await asyncio.gather(_copy(reader, out), _copy(there, writer))
        finally:
            for open_writer in writers:
                open_writer.close()
            self._open.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All of it, then its end: the other direction may go on."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
