"""The server: both faces, by configuration only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request

import oci
import pytest
import requests

from ocimock.server.serve import ServerFile

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
    assert state == {"standing": {"containerrepo": 1}}
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


@pytest.mark.parametrize("body", [b"", b"[]", b'{"advance": -1}', b'{"advance": "x"}'])
def test_a_wrong_clock_request_is_refused(exported: ServerFile, body: bytes) -> None:
    answer = requests.post(f"{exported.url}/ocimock/clock", data=body, timeout=5)
    assert answer.status_code == 400
    assert "advance" in answer.json()["message"]


def test_env_prints_exports_for_a_shell(exported: ServerFile) -> None:
    home = os.path.dirname(os.environ["OCI_CONFIG_FILE"])  # noqa: PTH120
    command = f'eval "$({sys.executable} -m ocimock env --home "{home}")" && env'
    printed = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert f"HTTPS_PROXY={exported.url}" in printed
    assert f"REQUESTS_CA_BUNDLE={home}/ca.pem" in printed


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


def test_coverage_counts_for_every_service() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "ocimock", "coverage"], capture_output=True, text=True, check=True
    ).stdout
    counted = {}
    for line in printed.splitlines():
        name, implemented, _, known = line.split()
        counted[name] = (int(implemented), int(known))
    assert {"core", "datascience", "objectstorage"} <= counted.keys()
    assert all(0 < implemented <= known for implemented, known in counted.values())
