"""Endpoints and credentials: what is refused, and how the refusal reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import oci
import pytest

from ocimock.cloud import Settings
from ocimock.credentials import write_credentials
from ocimock.identifiers import TENANCY_ID, USER_ID
from ocimock.terraform import clients
from ocimock.terraform.clients import Clients, read_credentials, read_endpoints, require_loopback
from ocimock.terraform.exceptions import CredentialsError, EndpointError

_URL = "http://127.0.0.1:1"
_KEY = "-----BEGIN PRIVATE KEY-----"
_CREDENTIALS = {
    "TF_VAR_tenancy_ocid": "ocid1.tenancy.oc1..t",
    "TF_VAR_user_ocid": "ocid1.user.oc1..u",
    "TF_VAR_fingerprint": "aa:bb",
    "TF_VAR_region": "eu-frankfurt-1",
    "TF_VAR_private_key": _KEY,
}


def _overrides(**changed: str) -> dict[str, str]:
    """Every override on loopback, but those named here by their service constant."""
    urls = {service.override: _URL for service in clients.REQUIRED}
    urls.update({getattr(clients, name).override: url for name, url in changed.items()})
    pairs = ";".join(f"{name}={url}" for name, url in urls.items() if url)
    return {"CLIENT_HOST_OVERRIDES": pairs}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
        "http://127.3.2.1:80",
        "http://localhost:1",
        "http://[::1]:99",
    ],
)
def test_loopback_is_taken(url: str) -> None:
    assert require_loopback(url, "client") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://iaas.eu-frankfurt-1.oraclecloud.com",
        "http://iaas.eu-frankfurt-1.oraclecloud.com",
        "https://127.0.0.1:8080",
        "http://10.0.0.1",
        "http://0.0.0.0:8080",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        # urllib reads this host as 127.0.0.1, urllib3 (which sends) as example.com.
        "http://example.com\\@127.0.0.1",
        "http://example.com#@127.0.0.1",
        "http://127.0.0.1:80?x",
        "http://127.0.0.1:80#x",
        "http://user@127.0.0.1",
        "http://[::1",
        "http://127.0.0.1 ",
        "http://127.0.0.1:80/n/other",
        "127.0.0.1:8080",
        "",
    ],
)
def test_anything_else_is_refused_by_name(url: str) -> None:
    with pytest.raises(EndpointError, match=r"oci_core\.VirtualNetworkClient"):
        require_loopback(url, "oci_core.VirtualNetworkClient")


def test_all_overrides_are_read() -> None:
    endpoints = read_endpoints(_overrides())
    assert endpoints == {service.override: _URL for service in clients.REQUIRED}


def test_terraforms_variable_comes_first_as_in_the_real_provider() -> None:
    environment = {**_overrides(CORE="http://127.0.0.1:2")}
    environment["TF_VAR_CLIENT_HOST_OVERRIDES"] = _overrides()["CLIENT_HOST_OVERRIDES"]
    assert read_endpoints(environment)["oci_core.VirtualNetworkClient"] == _URL


def test_a_missing_override_is_named() -> None:
    with pytest.raises(EndpointError, match=r"No endpoint for oci_vault\.VaultsClient\."):
        read_endpoints(_overrides(SECRETS=""))


def test_no_overrides_at_all_name_every_client() -> None:
    with pytest.raises(EndpointError) as caught:
        read_endpoints({})
    for service in clients.REQUIRED:
        assert service.override in str(caught.value)


def test_one_endpoint_elsewhere_spoils_all() -> None:
    with pytest.raises(EndpointError, match=r"oci_kms\.KmsVaultClient.*not on this machine"):
        read_endpoints(_overrides(KMS_VAULT="http://kms.example.com"))


def test_a_malformed_pair_is_shown() -> None:
    with pytest.raises(EndpointError, match='"oci_core" is not client=url'):
        read_endpoints({"CLIENT_HOST_OVERRIDES": "oci_core"})


def test_credentials_from_the_environment() -> None:
    found = read_credentials({}, _CREDENTIALS)
    assert (found.tenancy, found.region) == ("ocid1.tenancy.oc1..t", "eu-frankfurt-1")


def test_the_provider_block_comes_before_the_environment() -> None:
    found = read_credentials({"region": "us-ashburn-1"}, _CREDENTIALS)
    assert found.region == "us-ashburn-1"


def test_the_key_is_read_from_its_file(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(_KEY)
    environment = {**_CREDENTIALS, "TF_VAR_private_key": "", "TF_VAR_private_key_path": str(key)}
    assert read_credentials({}, environment).private_key == _KEY


@pytest.mark.parametrize(
    ("config", "environment", "message"),
    [
        ({}, {**_CREDENTIALS, "TF_VAR_user_ocid": ""}, "user_ocid: not set"),
        ({}, {}, "tenancy_ocid, user_ocid, fingerprint, region: not set"),
        ({}, {**_CREDENTIALS, "TF_VAR_private_key": ""}, "Neither private_key nor"),
        ({"auth": "InstancePrincipal"}, _CREDENTIALS, "signs with an API key only"),
        (
            {"private_key_path": "/nowhere/key.pem"},
            {**_CREDENTIALS, "TF_VAR_private_key": ""},
            "cannot read /nowhere/key.pem",
        ),
    ],
)
def test_bad_credentials_say_what_is_missing(
    config: dict[str, str], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(CredentialsError, match=message):
        read_credentials(config, environment)


def test_the_key_shows_in_no_repr() -> None:
    assert _KEY not in repr(read_credentials({}, _CREDENTIALS))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "not a PEM key"),
        ({"TF_VAR_fingerprint": "not one"}, "not a PEM key|fingerprint"),
    ],
)
def test_credentials_that_the_sdk_refuses(changed: dict[str, str], message: str) -> None:
    credentials = read_credentials({}, {**_CREDENTIALS, **changed})
    made = Clients(credentials, {clients.CORE.override: _URL})
    with pytest.raises(CredentialsError, match=message) as caught:
        made.client(clients.CORE)
    assert _KEY not in str(caught.value)


class _Server(HTTPServer):
    """Sends whoever asks on to `target`, and counts."""

    target = ""
    status = 200
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        if self.server.target:
            self.send_header("location", self.server.target + self.path)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to say."""


def _url(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _redirecting(target: _Server | None, status: int = 200) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.status = status
        server.target = _url(target) if target else ""
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_no_way_out(tmp_path: Path, status: int) -> None:
    """Another port of this machine stands for another machine: it is never asked."""
    key = write_credentials(tmp_path, Settings())
    environment = {
        **_CREDENTIALS,
        "TF_VAR_tenancy_ocid": TENANCY_ID,
        "TF_VAR_user_ocid": USER_ID,
        "TF_VAR_fingerprint": key.fingerprint,
        "TF_VAR_private_key": key.key_file.read_text(),
    }
    with _redirecting(None) as elsewhere, _redirecting(elsewhere, status) as near:
        made = Clients(read_credentials({}, environment), {clients.CORE.override: _url(near)})
        with pytest.raises(oci.exceptions.RequestException, match="No connection adapters"):
            made.client(clients.CORE).get_vcn(
                "ocid1.vcn.oc1.fra.none", retry_strategy=oci.retry.NoneRetryStrategy()
            )
        assert (near.asked, elsewhere.asked) == (1, 0)


def test_a_keys_own_endpoint_is_no_way_out() -> None:
    made = Clients(read_credentials({}, _CREDENTIALS), {})
    with pytest.raises(EndpointError, match=r"oci_kms\.KmsManagementClient.*not on this machine"):
        made.client(clients.KMS_MANAGEMENT, "http://vault-management.kms.example.com")
