"""What stands in, on loopback, for hosts of the internet: ``[hosts]`` of an execution file."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import oci
import pytest
import requests

from ocimock.server.announcement import ServerFile
from ocimock.server.running import started_server
from tests.servers import running_server

_TEXT = """
isolation = "none"
[hosts]
"huggingface.co" = "127.0.0.1:{port}"
"Files.Example.org" = "127.0.0.1:{port}"
"nobody.example.org" = "127.0.0.1:{closed}"
"""
_LARGE = 12 * 1024**2  # bytes: more than what the sockets on the way hold


@dataclass
class StandIn:
    """An HTTP server in a thread of this process."""

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The host that was asked for, and the path."""
    connections: set[Any] = field(default_factory=set)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    found = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"x" * _LARGE if self.path == "/large" else b"stand-in")

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(body[::-1])

        def _answer(self, body: bytes) -> None:
            found.asked.append((self.headers["host"], self.path))
            found.connections.add(self.client_address)
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def closed() -> Iterator[int]:
    """A port that nobody listens at, and that nobody else gets."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(scope="module")
def execution_file(
    stand_in: StandIn, closed: int, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    file = tmp_path_factory.mktemp("hosts") / "execution.toml"
    file.write_text(_TEXT.format(port=stand_in.port, closed=closed))
    return file


@pytest.fixture(scope="module")
def server_with_hosts(
    execution_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerFile]:
    home = tmp_path_factory.mktemp("home")
    with running_server(home, "--execute", str(execution_file)) as found:
        yield found


@pytest.fixture
def exported(
    server_with_hosts: ServerFile, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> ServerFile:
    for name, text in server_with_hosts.environment.items():
        monkeypatch.setenv(name, text)
    stand_in.asked.clear()
    stand_in.connections.clear()
    return server_with_hosts


def test_a_host_of_the_internet_is_what_stands_in_for_it(
    exported: ServerFile, stand_in: StandIn
) -> None:
    with requests.Session() as session:
        for path in ("/a?b=1", "/c"):
            answer = session.get(f"https://huggingface.co{path}", timeout=5)
            assert answer.content == b"stand-in"
    assert requests.get("https://files.example.org/d", timeout=5).content == b"stand-in"
    assert stand_in.asked == [
        ("huggingface.co", "/a?b=1"),
        ("huggingface.co", "/c"),
        ("files.example.org", "/d"),
    ]
    # The client's connections are kept as it keeps them.
    assert len(stand_in.connections) == 2


def test_large_bodies_pass_whole_and_no_faster_than_they_are_read(exported: ServerFile) -> None:
    body = bytes(range(256)) * (_LARGE // 256)
    answer = requests.put("https://huggingface.co/x", data=body, timeout=30)
    assert answer.content == body[::-1]
    with requests.get("https://huggingface.co/large", stream=True, timeout=30) as slow:
        # Meanwhile the mock goes on answering others.
        assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok
        assert sum(len(piece) for piece in slow.iter_content(65536)) == _LARGE


def test_the_hubs_own_library_comes_through(
    exported: ServerFile, stand_in: StandIn, tmp_path: Path
) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

    url = hf_hub_url("org/name", "config.json")
    assert get_session().get(url, timeout=5).content == b"stand-in"
    assert stand_in.asked == [("huggingface.co", "/org/name/resolve/main/config.json")]


def test_other_hosts_are_refused_with_what_to_do(exported: ServerFile) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        requests.get("https://cdn.huggingface.co/", timeout=5)
    host, _, port = exported.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=5)
    with connection:
        connection.sendall(b"CONNECT cdn.huggingface.co:443 HTTP/1.1\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert "cdn.huggingface.co is not an Oracle Cloud host" in said
    assert "[hosts] of an execution file (--execute)" in said


def test_oracles_hosts_are_still_the_mocks(exported: ServerFile, stand_in: StandIn) -> None:
    config = oci.config.from_file(exported.environment["OCI_CONFIG_FILE"])
    assert oci.object_storage.ObjectStorageClient(config).get_namespace().data == "ocimock"
    assert stand_in.asked == []


def test_a_stand_in_that_is_not_there_is_named(exported: ServerFile, closed: int) -> None:
    said = f"502 nothing listens at 127.0.0.1:{closed}, which stands in for nobody.example.org"
    with pytest.raises(requests.exceptions.ProxyError, match=said):
        requests.get("https://nobody.example.org/", timeout=5)
    assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok


def test_a_client_that_does_not_trust_the_authority_leaves_nothing_open(
    exported: ServerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get("https://huggingface.co/", timeout=5)
    assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok


def test_the_server_ends_though_a_client_keeps_its_connection(
    execution_file: Path, tmp_path: Path
) -> None:
    import ssl

    process, found = started_server(tmp_path / "home", "--execute", str(execution_file))
    host, _, port = found.url.removeprefix("http://").partition(":")
    context = ssl.create_default_context(cafile=found.environment["REQUESTS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(host, int(port), timeout=5, context=context)
    connection.set_tunnel("huggingface.co", 443)
    try:
        connection.request("GET", "/a")
        assert connection.getresponse().read() == b"stand-in"
    finally:
        process.send_signal(signal.SIGTERM)
        # Before uvicorn gives up on connections that do not end it waits a second.
        assert process.wait(10) == 0
    # Closed as TLS has it, not cut off.
    connection.sock.suppress_ragged_eofs = False  # type: ignore[union-attr]
    assert connection.sock.recv(1) == b""
    connection.close()
