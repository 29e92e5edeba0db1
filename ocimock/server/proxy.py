"""The HTTPS proxy face: ``CONNECT host:443`` on the same port, answered by the mock itself.

Clients that build ``https://`` host names of their own (ADS, ocifs, oci-cli, a deployment's
predict) come by ``HTTPS_PROXY``. The tunnel that they ask for ends here, under a certificate of a
throwaway authority; nothing is ever passed on to a real host. For a host of the internet something
on loopback may stand in: TLS ends here all the same, and the bytes go on to its port.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import trustme
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..dispatch import is_oci_host
from .app import CONNECTION
from .relay import Relay

_CONNECT = b"CONNECT "
_END_OF_HEAD = b"\r\n\r\n"
_MAX_HEAD = 16 * 1024  # bytes
_LEAVES = (
    "{host} is not an Oracle Cloud host; ocimock lets no call leave. "
    "[hosts] of an execution file (--execute) names what stands in for it on this machine"
)
# Linux only. Elsewhere delayed acknowledgements stay as they are.
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Authority:
    """A certificate authority that lives as long as the server; a certificate a host."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="ocimock throwaway authority")
        self._contexts: dict[str, ssl.SSLContext] = {}

    def write(self, path: Path) -> None:
        """Write the authority's certificate, for clients to trust."""
        self._authority.cert_pem.write_to_path(str(path))

    def context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]


def protocol_class(
    authority: Authority, hosts: Mapping[str, tuple[str, int]] | None = None
) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol with the proxy face before it.

    :param hosts: names of the internet, each with the loopback address that stands in for it.
    """
    stand_ins = {name.lower(): address for name, address in (hosts or {}).items()}

    class FrontProtocol(_Front):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            known = kwargs["server_state"].connections
            super().__init__(authority, lambda: _HttpProtocol(*args, **kwargs), stand_ins, known)

    return FrontProtocol


class _HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol; the application sees the connection (see ``CONNECTION``)."""

    def data_received(self, data: bytes) -> None:
        # urllib3 turns Nagle's algorithm on for what it sends through a proxy: a body waits until
        # its head is acknowledged, which else takes 40 ms. The option does not last.
        if _QUICKACK is not None and self.transport.get_extra_info("sslcontext"):
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[CONNECTION] = self.transport


class _Front(asyncio.Protocol):
    """Looks at a connection's first bytes: a tunnel is opened, all else goes to uvicorn as is."""

    def __init__(
        self,
        authority: Authority,
        make: Callable[[], asyncio.Protocol],
        stand_ins: Mapping[str, tuple[str, int]],
        known: set[Any],
    ) -> None:
        self._authority = authority
        self._make = make
        self._stand_ins = stand_ins
        self._known = known
        self._pending = b""
        self._opening = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        if self._opening or self._transport is None:
            return
        if not self._pending.startswith(_CONNECT[: len(self._pending)]):
            self._hand_over(self._transport)
        elif _END_OF_HEAD in self._pending:
            self._open_tunnel(self._transport)
        elif len(self._pending) > _MAX_HEAD:
            self._refuse(self._transport, "431 Request Header Fields Too Large", "too long")

    def _hand_over(self, transport: asyncio.Transport) -> None:
        """From here on the connection is uvicorn's."""
        inner = self._make()
        transport.set_protocol(inner)
        inner.connection_made(transport)
        pending, self._pending = self._pending, b""
        if pending:
            inner.data_received(pending)

    def _open_tunnel(self, transport: asyncio.Transport) -> None:
        head, self._pending = self._pending.split(_END_OF_HEAD, 1)
        host = head.split(b" ")[1].decode("latin-1").rsplit(":", 1)[0].lower()
        if not is_oci_host(host) and host not in self._stand_ins:
            self._refuse(transport, "403 Forbidden", _LEAVES.format(host=host))
            return
        if self._pending:
            reason = "bytes came after CONNECT before the tunnel was open; wait for its 200"
            self._refuse(transport, "400 Bad Request", reason)
            return
        self._opening = True
        opening = self._answer if is_oci_host(host) else self._relay
        task = asyncio.get_running_loop().create_task(opening(transport, host))
        task.add_done_callback(lambda done: None if done.cancelled() else done.exception())

    async def _answer(self, transport: asyncio.Transport, host: str) -> None:
        """The mock is what the client asked for."""
        secured = await self._secure(transport, host)
        if secured is not None:
            self._hand_over(secured)

    async def _relay(self, transport: asyncio.Transport, host: str) -> None:
        """Something on loopback stands in for what the client asked for."""
        address = self._stand_ins[host]
        relay = Relay(self._known)
        try:
            await relay.connect(*address)
        except OSError:
            where = f"{address[0]}:{address[1]}"
            reason = f"nothing listens at {where}, which stands in for {host}"
            # Clients show a refusal's first line only.
            self._refuse(transport, f"502 {reason}", reason)
            return
        secured = await self._secure(transport, host)
        if secured is None:
            relay.shutdown()
            return
        pending, self._pending = self._pending, b""
        relay.start(secured, pending)

    async def _secure(self, transport: asyncio.Transport, host: str) -> asyncio.Transport | None:
        """Open the tunnel, with TLS in it; None where the client will not have it."""
        transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        loop = asyncio.get_running_loop()
        try:
            return await loop.start_tls(
                transport,
                self,
                self._authority.context(host),
                server_side=True,
                # Clients drop their connections without TLS's farewell; do not wait for it.
                ssl_shutdown_timeout=0.5,
            )
        except (OSError, ValueError):
            # The client does not trust the authority, or went away; or no certificate can be
            # made out to that name.
            transport.close()
            return None

    def _refuse(self, transport: asyncio.Transport, status: str, reason: str) -> None:
        body = reason.encode()
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        transport.write(head.encode() + body)
        transport.close()
