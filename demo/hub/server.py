"""The hub's port: an HTTP server on loopback, a thread a connection."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .answers import Access, Answer, Asked, answer
from .repositories import Repositories

__all__ = ["Access", "Hub", "named", "running_hub"]

_CHUNK = 1024**2  # bytes


class Hub(ThreadingHTTPServer):
    """A server that listens from the start, and answers in :meth:`serve_forever`.

    :param folder: what it serves; see the package.
    :param access: who may download what.
    :param port: of 127.0.0.1; 0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, folder: Path, access: Access | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.repositories = Repositories(folder)
        self.access = access or Access()
        self.asked: list[str] = []
        """Method and path of each request, in order."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in mid-download is nothing to tell of."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def named(pid: int) -> str:
    """What the hub of the process *pid* calls itself, in the header ``Server``."""
    return f"tunestack-hub/{pid}"


@contextmanager
def running_hub(folder: Path, access: Access | None = None) -> Iterator[Hub]:
    """A hub in a thread of this process, on a free port."""
    hub = Hub(folder, access)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): text for name, text in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {path}")
        asked = Asked(self.command, path, query, headers, body)
        self._send(answer(asked, self.server.repositories, self.server.access))

    def _send(self, found: Answer) -> None:
        self.send_response(found.status)
        for name, text in found.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(found.length if found.file else len(found.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if found.file is None:
            self.wfile.write(found.body)
            return
        left = found.length
        with found.file.path.open("rb") as file:
            file.seek(found.start)
            while left and (chunk := file.read(min(left, _CHUNK))):
                self.wfile.write(chunk)
                left -= len(chunk)

    def version_string(self) -> str:
        return named(os.getpid())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a request a line is of no use to the one who rehearses."""
