"""A request and a response, free of any web framework."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .body import Body

EMPTY = Body(())
LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}|localhost|::1|\[::1\]")


class Headers(dict[str, str]):
    """Header fields under their lower-case names."""

    def __init__(self, fields: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        super().__init__({_text(name).lower(): _text(value) for name, value in pairs})

    @classmethod
    def lower(cls, fields: Iterable[tuple[str, str]]) -> Headers:
        """From names that are in lower case already."""
        found = cls()
        found.update(fields)
        return found

    def get_lower(self, name: str, default: str = "") -> str:
        return self.get(name.lower(), default)


@dataclass(frozen=True)
class Request:
    """One HTTP request as a client sent it.

    *host* carries no port, *path* is still percent-encoded. *target* is path and query exactly as
    they were sent: a signature is over that. *content* is the whole body, in a file where it is
    large; :attr:`body` is its bytes.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)
    content: Body = EMPTY
    base_url: str = ""
    target: str = ""

    @property
    def body(self) -> bytes:
        """The whole body in memory."""
        return bytes(self.content)

    @property
    def is_loopback(self) -> bool:
        """Whether the client spoke to this machine, not to a host of OCI's with a region in it."""
        return LOOPBACK.fullmatch(self.host) is not None

    @classmethod
    def from_url(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        body: bytes | Body = b"",
    ) -> Request:
        """The request for *url* (``https://host:port/path?query``).

        :raises ValueError: the URL is none.
        """
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls.received(method, parts.scheme, parts.netloc, target, Headers(headers), body)

    @classmethod
    def received(
        cls,
        method: str,
        scheme: str,
        authority: str,
        target: str,
        headers: Headers,
        body: bytes | Body = b"",
    ) -> Request:
        """A request from its parts: *authority* is host and port, *target* path and query."""
        path, _, query = target.partition("?")
        return cls(
            method=method.upper(),
            host=_hostname(authority),
            path=path,
            query=_query(query) if query else {},
            headers=headers,
            content=body if isinstance(body, Body) else Body.of(body),
            base_url=f"{scheme}://{authority}",
            target=target,
        )


@dataclass
class Response:
    """What goes back: a status, header fields and the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Body = b""

    @classmethod
    def of_json(cls, value: Any, status: int = 200, **headers: str) -> Response:
        """*value* as JSON; keyword names become header fields (``opc_next_page`` etc.)."""
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        fields.setdefault("content-type", "application/json")
        return cls(status, fields, json.dumps(value).encode())


class Source(Protocol):
    """Where an answer comes from that is not the mock's own. It blocks, and is of one thread.

    What is called after :meth:`open`, in any case, is :meth:`close`.
    """

    def open(self) -> Response:
        """Ask; the answer's status and header fields, without its body."""

    def pieces(self) -> Iterator[bytes]:
        """The answer's body as it comes.

        :raises OSError: it broke off, or took too long.
        """

    def abort(self) -> None:
        """Nobody waits any more: let the others end soon. Of any thread, and more than once."""

    def close(self) -> None:
        """It is over, well or not."""


@dataclass
class Relay(Response):
    """An answer that is still to be fetched, outside of the cloud's lock, to be passed on at once.

    Its own header fields go over those that *source* answers with. *told* hears the status.
    """

    source: Source = field(kw_only=True)
    told: Callable[[int], None] = field(default=lambda _: None, kw_only=True)

    def opened(self) -> Response:
        """Ask: what there is to be told before the body."""
        found = self.source.open()
        self.told(found.status)
        return Response(found.status, {**found.headers, **self.headers})

    def fetched(self) -> Response:
        """The whole answer.

        :raises OSError: it broke off.
        """
        try:
            found = self.opened()
            found.body = b"".join(self.source.pieces())
        finally:
            self.source.close()
        return found


@functools.lru_cache(maxsize=256)
def _hostname(authority: str) -> str:
    """:raises ValueError: *authority* is none."""
    return urlsplit(f"//{authority}").hostname or ""


def _query(query: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = (*found.get(name, ()), value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
