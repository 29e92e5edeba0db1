"""The server: both faces, by configuration only."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import oci
import pytest
import requests

from ocimock.cloud import Cloud
from ocimock.server.announcement import ServerFile
from ocimock.server.app import CONNECTION, Application
from ocimock.server.running import started_server
from ocimock.wire.body import PIECE, Body
from ocimock.wire.message import Response

_COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"


@pytest.fixture
def exported(server: ServerFile, monkeypatch: pytest.MonkeyPatch) -> ServerFile:
    """The environment as ``eval "$(python -m ocimock env)"`` leaves it, on a fresh tenancy."""
    for name, text in server.environment.items():
        monkeypatch.setenv(name, text)
    requests.post(f"{server.url}/ocimock/reset", timeout=5)
    return server


def _config() -> dict[str, str]:
    found: dict[str, str] = oci.config.from_file(os.environ["OCI_CONFIG_FILE"])
    return found


def test_health_and_unknown_pages(exported: ServerFile) -> None:
    assert requests.get(f"{exported.url}/ocimock/health", timeout=5).json()["status"] == "ok"
    assert requests.get(f"{exported.url}/ocimock/nonsense", timeout=5).status_code == 404


def test_the_sdk_through_the_proxy_face(exported: ServerFile) -> None:
    client = oci.artifacts.ArtifactsClient(_config())
    details = oci.artifacts.models.CreateContainerRepositoryDetails(
        compartment_id=_COMPARTMENT, display_name="vllm"
    )
    made = client.create_container_repository(details).data
    # The plain face is the same cloud.
    plain = oci.artifacts.ArtifactsClient(_config(), service_endpoint=exported.url)
    assert plain.get_container_repository(made.id).data.display_name == "vllm"
    state = requests.get(f"{exported.url}/ocimock/state", timeout=5).json()
    assert state == {"standing": {"containerrepo": 1}, "bodies": 0}
    calls = requests.get(f"{exported.url}/ocimock/calls", timeout=5).json()
    assert [call["operation"] for call in calls] == [
        "create_container_repository",
        "get_container_repository",
    ]


@pytest.mark.parametrize("url", ["https://example.com/", "https://oraclecloud.com.example.org/"])
def test_the_proxy_opens_no_tunnel_to_other_hosts(exported: ServerFile, url: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        requests.get(url, timeout=5)


def test_a_client_that_does_not_trust_the_authority_is_refused(
    exported: ServerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get("https://identity.us-ashburn-1.oci.oraclecloud.com/", timeout=5)
    # and the server goes on
    assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok


def test_expect_continue_gets_its_interim_answer(exported: ServerFile) -> None:
    """Terraform's provider sends object bodies only after the 100."""
    import http.client

    host = exported.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.putrequest("POST", "/ocimock/clock")
    body = json.dumps({"advance": 0}).encode()
    connection.putheader("content-length", str(len(body)))
    connection.putheader("expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(64).startswith(b"HTTP/1.1 100")
    connection.send(body)
    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"advance": -1}',
        b'{"advance": "x"}',
        b'{"advance": NaN}',
        b'{"advance": Infinity}',
        b'{"advance": 1e12}',
    ],
)
def test_a_wrong_clock_request_is_refused(exported: ServerFile, body: bytes) -> None:
    answer = requests.post(f"{exported.url}/ocimock/clock", data=body, timeout=5)
    assert answer.status_code == 400
    assert "advance" in answer.json()["message"]
    # and time goes on
    assert requests.post(f"{exported.url}/ocimock/clock", json={"advance": 0}, timeout=5).ok


@pytest.mark.parametrize(
    ("page", "rule", "wrong"),
    [
        ("faults", {"rule": "429 on get_namespace"}, {"rule": "nonsense"}),
        ("limits", {"name": "ds-gpu-a10-count", "value": 4}, {"name": "nonsense", "value": 4}),
        ("capacity", {"shape": "VM.GPU.A10.2", "hosts": 1}, {"shape": "nonsense"}),
    ],
)
def test_what_tests_set_up_has_pages(
    exported: ServerFile, page: str, rule: dict[str, object], wrong: dict[str, object]
) -> None:
    url = f"{exported.url}/ocimock/{page}"
    fresh = requests.get(url, timeout=5).json()
    assert requests.post(url, json=rule, timeout=5).status_code == 201
    assert requests.get(url, timeout=5).json() != fresh
    refused = requests.post(url, json=wrong, timeout=5)
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidParameter")
    assert "nonsense" in refused.json()["message"]
    assert requests.delete(url, timeout=5).status_code == 204
    assert requests.get(url, timeout=5).json() == fresh
    assert requests.put(url, timeout=5).status_code == 405


_SHELLS = [shell for shell in ("sh", "dash", "bash", "zsh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", _SHELLS)
def test_env_prints_exports_for_a_shell(exported: ServerFile, shell: str) -> None:
    home = os.path.dirname(os.environ["OCI_CONFIG_FILE"])  # noqa: PTH120
    env = f'{shlex.quote(sys.executable)} -m ocimock env --home "{home}"'
    script = f'eval "$({env})" && env && echo --- && eval "$({env} --unset)" && env'
    printed = subprocess.run(
        [shell, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    there, after = printed[: printed.index("---")], printed[printed.index("---") :]
    assert {f"{name}={text}" for name, text in exported.environment.items()} <= set(there)
    assert f"REQUESTS_CA_BUNDLE={home}/ca.pem" in there
    assert not {line.partition("=")[0] for line in after} & set(exported.environment)


def test_serve_says_where_it_is_and_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    with (tmp_path / "said").open("wb") as said:
        process, found = started_server(home, "--pace", "0", stdout=said)
        process.terminate()
        process.wait(timeout=20)
    printed = (tmp_path / "said").read_text()
    assert found.url in printed
    assert f"eval \"$(python -m ocimock env --home '{home}')\"" in printed


def test_env_without_a_server_says_what_to_do(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ocimock", "env", "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "python -m ocimock serve --home" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_loopback_is_bound(exported: ServerFile) -> None:
    assert exported.url.startswith("http://127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open(f"{exported.url}/ocimock/health", timeout=5).status == 200


_HOST = "objectstorage.eu-frankfurt-1.oraclecloud.com"
_CONNECT = f"CONNECT {_HOST}:443 HTTP/1.1\r\n\r\n".encode()


def _connect(exported: ServerFile) -> socket.socket:
    host, _, port = exported.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def _answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\x01garbage\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01" + b"\x00" * 64, b"400"),
        (b"CONNECT\r\n\r\n", b"400"),
        (b"CONNECT \r\n\r\n", b"403"),
        (b"CONNECT *.oraclecloud.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT ..oraclecloud.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT \xc3\xbc.oraclecloud.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT " + b"a" * 64 + b".oraclecloud.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT " + b"a" * 20_000, b"431"),
        # No client may speak before the tunnel is open; these bytes would be lost.
        (_CONNECT + b"\x16\x03\x01", b"400"),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", b"502"),
    ],
)
def test_nonsense_is_answered_and_survived(
    exported: ServerFile, sent: bytes, status: bytes
) -> None:
    with _connect(exported) as connection:
        connection.sendall(sent)
        assert _answer(connection).split(b" ")[1] == status
    assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok


@pytest.mark.parametrize("sent", [b"CONN", b"CONNECT objectstorage", _CONNECT, b"GET / HT"])
def test_a_client_that_goes_silent_holds_nobody_up(exported: ServerFile, sent: bytes) -> None:
    with _connect(exported) as silent:
        silent.sendall(sent)
        assert requests.get(f"{exported.url}/ocimock/health", timeout=5).ok


def test_a_hosts_name_has_no_case(exported: ServerFile) -> None:
    with _connect(exported) as connection:
        connection.sendall(_CONNECT.replace(_HOST.encode(), _HOST.upper().encode()))
        assert b" 200 " in connection.recv(65536)
        context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
        with context.wrap_socket(connection, server_hostname=_HOST) as secured:
            head = f"GET /n HTTP/1.1\r\nHost: {_HOST.upper()}\r\nConnection: close\r\n\r\n"
            secured.sendall(head.encode())
            assert _answer(secured).endswith(b'"ocimock"')


@pytest.fixture
def bucket(exported: ServerFile) -> str:
    """The plain HTTP address of a fresh bucket's objects."""
    details = {"name": "b", "compartmentId": _COMPARTMENT}
    requests.post(f"{exported.url}/n/ocimock/b", json=details, timeout=5).raise_for_status()
    return f"{exported.url}/n/ocimock/b/b/o"


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_an_upload_that_broke_off_leaves_nothing(
    exported: ServerFile, bucket: str, framing: str
) -> None:
    with _connect(exported) as connection:
        head = f"PUT /n/ocimock/b/b/o/half HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode() + b"3\r\nabc\r\n")
        # The server has seen the end of this client once it closes its side too.
        connection.shutdown(socket.SHUT_WR)
        assert _answer(connection) == b""
    assert requests.get(bucket, timeout=5).json()["objects"] == []


def test_a_body_in_chunks_and_its_head(bucket: str) -> None:
    pieces = (b"x" * 100_000 for _ in range(30))
    requests.put(f"{bucket}/chunked", data=pieces, timeout=5).raise_for_status()
    head = requests.head(f"{bucket}/chunked", timeout=5)
    assert (head.headers["content-length"], head.content) == ("3000000", b"")
    assert requests.get(f"{bucket}/chunked", timeout=5).content == b"x" * 3_000_000


def test_fifty_clients_at_once(exported: ServerFile, bucket: str) -> None:
    kept = {}

    def put_and_get(number: int) -> None:
        body = str(number).encode() * 1000
        requests.put(f"{bucket}/{number}", data=body, timeout=30).raise_for_status()
        kept[number] = requests.get(f"{bucket}/{number}", timeout=30).content == body

    threads = [threading.Thread(target=put_and_get, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept == dict.fromkeys(range(50), True)


@pytest.mark.parametrize("path", ["n/ocimock/b", "ocimock/faults", "ocimock/clock"])
def test_a_body_nested_too_deep_is_refused(exported: ServerFile, path: str) -> None:
    answer = requests.post(f"{exported.url}/{path}", data=b"[" * 100_000, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, "CannotParseRequest")


def test_a_links_token_is_not_among_the_calls(exported: ServerFile, bucket: str) -> None:
    details = {
        "name": "link",
        "accessType": "AnyObjectRead",
        "timeExpires": "2999-01-01T00:00:00Z",
    }
    made = requests.post(f"{bucket.removesuffix('/o')}/p", json=details, timeout=5).json()
    token = made["accessUri"].split("/")[2]
    assert requests.get(f"{exported.url}{made['accessUri']}none", timeout=5).status_code == 404
    calls = requests.get(f"{exported.url}/ocimock/calls", timeout=5).text
    assert token not in calls
    assert "get_by_link" in calls


_BIG = 40 * 1024 * 1024


def test_who_leaves_in_the_middle_of_a_download_goes_quietly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """So does one who does not read on when the server ends, or has not sent all."""
    process, server = started_server(tmp_path, "--pace", "0")
    try:
        details = {"name": "b", "compartmentId": _COMPARTMENT}
        requests.post(f"{server.url}/n/ocimock/b", json=details, timeout=5).raise_for_status()
        url = f"{server.url}/n/ocimock/b/b/o/big"
        requests.put(url, data=bytes(_BIG), timeout=30).raise_for_status()
        get = b"GET /n/ocimock/b/b/o/big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for _ in range(5):
            with _connect(server) as leaver:
                leaver.sendall(get)
                assert leaver.recv(1000)
        assert len(requests.get(url, timeout=30).content) == _BIG
        length = f"Content-Length: {_BIG}"
        put = f"PUT /n/ocimock/b/b/o/x HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n"
        with _connect(server) as idle, _connect(server) as half:
            idle.sendall(get)
            half.sendall(put.encode() + b"x")
            assert idle.recv(1000)
            process.terminate()
            assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "without" not in said.partition("graceful shutdown")[0]


class _Pieces:
    """A large segment that counts how much of it is read."""

    size = 5 * PIECE

    def __init__(self) -> None:
        self.read = 0

    def pieces(self, first: int, end: int) -> Iterator[bytes]:
        for _ in range(first, end, PIECE):
            self.read += 1
            yield bytes(PIECE)


def test_nothing_is_read_for_a_client_that_left(monkeypatch: pytest.MonkeyPatch) -> None:
    application, pieces, sent = Application(Cloud()), _Pieces(), []
    answer = Response(200, {}, Body((pieces,)))
    monkeypatch.setattr(application, "answer", lambda _request: answer)
    coming = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        sent.append(message)

    connection = SimpleNamespace(is_closing=lambda: len(sent) > 1, abort=lambda: None)
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "headers": [(b"host", b"127.0.0.1")],
        "path": "/",
        "query_string": b"",
        CONNECTION: connection,
    }
    asyncio.run(application(scope, receive, send))
    assert pieces.read == 2
    assert next(coming, None) is None
