"""Bytes between a client and what stands in, on loopback, for a host of the internet."""

from __future__ import annotations

import asyncio
from typing import Any


class Relay:
    """Two connections, each of which gets what the other one sends, and no faster than it reads.

    When one ends, the other is closed as soon as it has got everything.

    :param known: uvicorn's connections. What is among them is told when the server shuts down.
    """

    def __init__(self, known: set[Any]) -> None:
        self._known = known
        self.client = _End()
        self.upstream = _End()
        self.client.other, self.upstream.other = self.upstream, self.client
        self.client.relay = self.upstream.relay = self

    async def connect(self, host: str, port: int) -> None:
        """Open the connection to the stand-in; nothing is read from it yet.

        :raises OSError: nobody listens there.
        """
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self.upstream, host, port)
        transport.pause_reading()
        self._known.add(self)

    def start(self, client: asyncio.Transport, pending: bytes) -> None:
        """From here on *client* is connected; *pending* is what it has sent already."""
        if self.upstream.transport is None or self.upstream.transport.is_closing():
            client.close()
            return
        client.set_protocol(self.client)
        self.client.connection_made(client)
        self.upstream.transport.resume_reading()
        if pending:
            self.client.data_received(pending)

    def shutdown(self) -> None:
        """The server ends; uvicorn calls it so."""
        for end in (self.client, self.upstream):
            if end.transport is not None:
                end.transport.close()

    def forget(self) -> None:
        self._known.discard(self)


class _End(asyncio.Protocol):
    """One of the two connections."""

    other: _End
    relay: Relay

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self.relay.forget()
        if self.other.transport is not None:
            self.other.transport.close()
