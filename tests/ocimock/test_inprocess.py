"""mock_oci: what is caught, what is blocked, what is fresh."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import oci
import pytest
import requests

from ocimock import BlockedCallError, MockedCloud, ServedCloud, Settings, mock_oci
from ocimock.cloud import Cloud
from ocimock.dispatch import dispatch
from ocimock.signing import NOTE
from ocimock.tenancy import MockedTenancy
from ocimock.wire.message import Request, Response
from tests.servers import running_server


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """ADS leaves in the environment what other tests told it."""
    monkeypatch.delenv("OCI_CONFIG_LOCATION", raising=False)


def _repository(
    mocked: MockedCloud, name: str = "vllm"
) -> oci.artifacts.models.ContainerRepository:
    client = oci.artifacts.ArtifactsClient(mocked.config)
    details = oci.artifacts.models.CreateContainerRepositoryDetails(
        compartment_id=mocked.compartment_id, display_name=name
    )
    return client.create_container_repository(details).data


def _names(mocked: MockedCloud, client: oci.artifacts.ArtifactsClient | None = None) -> list[str]:
    client = client or oci.artifacts.ArtifactsClient(mocked.config)
    found = client.list_container_repositories(mocked.compartment_id).data.items
    return [repository.display_name for repository in found]


def test_each_mock_is_fresh() -> None:
    with mock_oci() as mocked:
        _repository(mocked)
        assert _names(mocked) == ["vllm"]
    with mock_oci() as mocked:
        assert _names(mocked) == []


def test_a_client_built_before_is_caught_too() -> None:
    with mock_oci() as first:
        client = oci.artifacts.ArtifactsClient(first.config)
    with mock_oci() as second:
        _repository(second)
        assert _names(second, client) == ["vllm"]


def _found_and_made() -> int:
    """How many repositories a client from the environment finds before it makes one."""
    config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"])
    client = oci.artifacts.ArtifactsClient(config)
    compartment = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
    found = len(client.list_container_repositories(compartment).data.items)
    details = oci.artifacts.models.CreateContainerRepositoryDetails(
        compartment_id=compartment, display_name=f"vllm{found}"
    )
    client.create_container_repository(details)
    return found


@mock_oci()
def _with_parentheses() -> int:
    return _found_and_made()


@mock_oci
def _without() -> int:
    return _found_and_made()


@mock_oci
def _generator() -> Iterator[int]:
    yield _found_and_made()
    yield _found_and_made()


@mock_oci
async def _coroutine() -> int:
    return _found_and_made()


@mock_oci
class _Tests:
    def test_one(self) -> int:
        return _found_and_made() + self.other()

    @staticmethod
    def test_two() -> int:
        return _found_and_made()

    @classmethod
    def test_three(cls) -> tuple[type, int]:
        return cls, _found_and_made()

    tests = 4

    def other(self) -> int:
        return _found_and_made()


def test_as_decorator() -> None:
    """Each call has a fresh tenancy, and all that the call does has the same one."""
    for _ in range(2):
        assert _with_parentheses() == 0
        assert _without() == 0
        assert list(_generator()) == [0, 1]
        assert asyncio.run(_coroutine()) == 0
        assert _Tests().test_one() == 1
        assert _Tests().test_two() == 0
        assert _Tests().test_three() == (_Tests, 0)
        assert _Tests.tests == 4
    assert "OCI_CONFIG_LOCATION" not in os.environ


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://example.com/", "example.com is not an Oracle Cloud host"),
        ("https://nosuch.eu-frankfurt-1.oci.oraclecloud.com/x", "no service 'nosuch'"),
    ],
)
def test_no_call_leaves(url: str, named: str) -> None:
    with mock_oci(), pytest.raises(BlockedCallError, match=named):
        requests.get(url, timeout=5)


def test_the_sdk_does_not_try_a_blocked_call_again() -> None:
    """Its clients would wait for a minute and a half before the test hears what was wrong."""
    again = oci.retry.DEFAULT_RETRY_STRATEGY.checkers
    assert again.should_retry(exception=ConnectionError(), current_attempt=1, total_time_elapsed=0)
    blocked = BlockedCallError("example.com")
    assert not again.should_retry(exception=blocked, current_attempt=1, total_time_elapsed=0)


def test_the_mocks_config_file_comes_before_the_developers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / ".oci" / "config"
    real.parent.mkdir()
    key = tmp_path / "key.pem"
    key.touch()
    real.write_text(f"[DEFAULT]\nuser=real\nkey_file={key}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with mock_oci() as cloud:
        assert oci.config.from_file()["user"] == cloud.user_id
        assert oci.config.from_file(str(real))["user"] == "real"
    assert oci.config.from_file()["user"] == "real"


def test_settings_of_another_type_are_refused() -> None:
    """A region in their place would be taken for what is to be decorated."""
    with pytest.raises(TypeError, match=r"not mock_oci\('eu-frankfurt-1'\)"):
        mock_oci("eu-frankfurt-1")  # type: ignore[call-overload]


@pytest.mark.parametrize("session", [requests.Session, oci._vendor.requests.Session])
def test_only_calls_to_this_machine_ask_the_environment_for_proxies(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/a/bundle.pem")

    def settings(host: str) -> dict[str, Any]:
        found: dict[str, Any] = session().merge_environment_settings(
            f"https://{host}/", {}, True, None, None
        )
        return found

    proxy = "http://127.0.0.1:1"
    with mock_oci():
        far, near = settings("identity.us-ashburn-1.oraclecloud.com"), settings("localhost")
    assert (far["proxies"], far["stream"]) == ({}, True)
    assert (near["proxies"]["https"], near["verify"]) == (proxy, "/a/bundle.pem")
    assert settings("identity.us-ashburn-1.oraclecloud.com")["proxies"]["https"] == proxy


def test_an_operation_that_is_not_written_says_so() -> None:
    with mock_oci() as mocked:
        client = oci.artifacts.ArtifactsClient(mocked.config)
        with pytest.raises(oci.exceptions.ServiceError) as caught:
            client.list_generic_artifacts(mocked.compartment_id, "ocid1.repo", retry_strategy=None)
    assert caught.value.status == 501
    assert "artifacts.list_generic_artifacts" in caught.value.message


@contextmanager
def _loopback_answer(body: bytes, *, until: bytes = b"\r\n\r\n") -> Iterator[str]:
    """A server that answers *body* to one request, once *until* has come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                came = b""
                while until not in came and (piece := connection.recv(65536)):
                    came += piece
                head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                connection.sendall(head + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_loopback_is_left_alone() -> None:
    session = requests.Session()
    session.trust_env = False
    with mock_oci(), _loopback_answer(b"mine") as url:
        assert session.get(url, timeout=5).content == b"mine"


def test_what_goes_to_loopback_goes_whole() -> None:
    session = requests.Session()
    session.trust_env = False
    pieces = iter([b"a first ", b"and a last"])
    with mock_oci(), _loopback_answer(b"got", until=b"and a last") as url:
        assert session.post(url, data=pieces, timeout=5).content == b"got"


def test_an_error_shows_no_links_signature() -> None:
    url = "https://example.com/file?signature=hunter2"
    with mock_oci(), pytest.raises(BlockedCallError) as caught:
        requests.get(url, timeout=5)
    assert "hunter2" not in str(caught.value)
    assert "https://example.com/file" in str(caught.value)


def test_the_adapters_are_restored() -> None:
    before = requests.adapters.HTTPAdapter.send
    with mock_oci():
        assert requests.adapters.HTTPAdapter.send is not before
    assert requests.adapters.HTTPAdapter.send is before


@pytest.mark.parametrize("environment", [True, False])
def test_mocks_that_end_in_the_order_in_which_they_began(environment: bool) -> None:
    """As those of two coroutines or threads may: no call leaves in between, nothing stays."""
    before = requests.adapters.HTTPAdapter.send
    first, second = (mock_oci(environment=environment) for _ in range(2))
    first.__enter__()
    mocked = second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(BlockedCallError):
        requests.get("https://nowhere.invalid", timeout=5)
    _repository(mocked)
    assert _names(mocked) == ["vllm"]
    second.__exit__(None, None, None)
    assert requests.adapters.HTTPAdapter.send is before
    assert "OCI_CONFIG_LOCATION" not in os.environ


def test_a_mock_can_be_entered_within_itself() -> None:
    before = requests.adapters.HTTPAdapter.send
    mock = mock_oci()
    with mock as outer:
        _repository(outer)
        with mock as inner:
            assert _names(inner) == []
        assert _names(outer) == ["vllm"]
    assert requests.adapters.HTTPAdapter.send is before


def test_credentials_are_only_there_while_it_runs() -> None:
    with mock_oci() as mocked:
        assert os.environ["OCI_CONFIG_LOCATION"] == str(mocked.credentials.config_file)
        assert mocked.credentials.key_file.stat().st_mode & 0o077 == 0
    assert "OCI_CONFIG_LOCATION" not in os.environ
    assert not mocked.credentials.key_file.exists()


def test_a_retry_token_creates_once() -> None:
    with mock_oci() as mocked:
        client = oci.artifacts.ArtifactsClient(mocked.config)
        details = oci.artifacts.models.CreateContainerRepositoryDetails(
            compartment_id=mocked.compartment_id, display_name="once"
        )
        first = client.create_container_repository(details, opc_retry_token="token").data
        again = client.create_container_repository(details, opc_retry_token="token").data
        assert again.id == first.id
        details.display_name = "other"
        with pytest.raises(oci.exceptions.ServiceError) as caught:
            client.create_container_repository(
                details, opc_retry_token="token", retry_strategy=oci.retry.NoneRetryStrategy()
            )
        assert (caught.value.status, caught.value.code) == (409, "InvalidatedRetryToken")


def test_a_query_parameter_that_the_sdk_lacks_is_refused() -> None:
    host = "https://iaas.eu-frankfurt-1.oraclecloud.com"
    with mock_oci():
        answer = requests.get(f"{host}/20160918/vcns?compartmentID=x&colour=red", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert "list_vcns has no query parameter 'colour'" in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("vlanId=ocid1.vlan", 501, "does not filter"),
        ("sortBy=SIZE", 400, "sortBy: 'SIZE'"),
        ("page=two", 400, "page 'two'"),
    ],
)
def test_what_a_list_cannot_heed_it_says(query: str, status: int, named: str) -> None:
    url = "https://iaas.eu-frankfurt-1.oraclecloud.com/20160918/networkSecurityGroups"
    with mock_oci() as mocked:
        answer = requests.get(f"{url}?compartmentId={mocked.compartment_id}&{query}", timeout=5)
    assert answer.status_code == status
    assert named in answer.json()["message"]


def test_a_retry_token_of_one_resource_is_not_another_ones() -> None:
    cloud = Cloud()
    url = f"https://objectstorage.eu-frankfurt-1.oraclecloud.com/n/{cloud.settings.namespace}/b"
    for name in ("one", "two"):
        details = {"name": name, "compartmentId": cloud.settings.compartment_id}
        assert _post(cloud, url, details, token=name).status == 200
    tags = {"freeformTags": {"a": "b"}}
    assert _post(cloud, f"{url}/one", tags, token="same").status == 200
    other = _post(cloud, f"{url}/two", tags, token="same")
    assert (other.status, json.loads(bytes(other.body))["code"]) == (409, "InvalidatedRetryToken")


def _post(cloud: Cloud, url: str, body: object, *, token: str) -> Response:
    headers = {"opc-retry-token": token}
    return dispatch(cloud, Request.from_url("POST", url, headers, json.dumps(body).encode()))


def _signature(mocked: MockedTenancy) -> bytes:
    """What a call's header has as its signature."""
    seen: list[str] = []
    client = oci.artifacts.ArtifactsClient(mocked.config)
    session = client.base_client.session
    send = session.send

    def look(request: Any, **options: Any) -> Any:
        seen.append(request.headers["authorization"])
        return send(request, **options)

    session.send = look
    client.list_container_repositories(mocked.compartment_id)
    (found,) = re.findall(r',signature="([^"]+)"', seen[0])
    return base64.b64decode(found)


def test_nothing_is_signed_that_nobody_verifies() -> None:
    strict = Settings(verify_signatures=True)
    with mock_oci() as outer:
        assert _signature(outer) == NOTE
        with mock_oci(strict) as inner:
            assert len(_signature(inner)) == 256
        assert _signature(outer) == NOTE
    with mock_oci(strict) as mocked:
        assert len(_signature(mocked)) == 256


def test_calls_to_this_machine_are_signed(tmp_path: Path) -> None:
    """A mock in the process leaves alone what goes to a server that verifies."""
    with running_server(tmp_path, "--pace", "0", "--verify-signatures") as server, mock_oci():
        served = ServedCloud(server)
        client = oci.object_storage.ObjectStorageClient(
            served.config, service_endpoint=server.url, retry_strategy=oci.retry.NoneRetryStrategy()
        )
        assert client.get_namespace().data == served.namespace


def test_a_key_is_read_once() -> None:
    with mock_oci() as mocked:
        first = oci.signer.load_private_key_from_file(mocked.config["key_file"])
        assert oci.signer.load_private_key_from_file(mocked.config["key_file"]) is first
    with pytest.raises(oci.exceptions.InvalidPrivateKey), mock_oci():
        oci.signer.load_private_key("no key", None)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Settings(region="mars"), "region: the OCI SDK knows no region 'mars'"),
        (lambda: Settings(home_region="mars"), "home_region"),
        (lambda: mock_oci(pace=-1).__enter__(), "pace: -1"),
        (lambda: mock_oci(pace=float("nan")).__enter__(), "pace: nan"),
    ],
)
def test_wrong_settings_are_refused(make: Callable[[], object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make()
    assert "OCI_CONFIG_LOCATION" not in os.environ


def test_what_a_test_sets_up_wrong_is_a_value_error() -> None:
    with mock_oci() as mocked:
        for wrong in (
            lambda: mocked.limits.set("nosuch", 1),
            lambda: mocked.capacity.exhaust("nosuch"),
            lambda: mocked.faults.add("nosuch"),
        ):
            with pytest.raises(ValueError, match="nosuch"):
                wrong()
