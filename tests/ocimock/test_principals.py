"""Who calls: users by their API keys, resources by their tokens, and nobody."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import jwt
import oci
import pytest
import requests

from ocimock import MockedCloud, MockedTenancy, mock_oci
from ocimock.cloud import Settings
from ocimock.iam import keys, tokens
from ocimock.iam.principals import ANONYMOUS, Principal, identify
from ocimock.served import ServedCloud
from ocimock.server.announcement import ServerFile
from ocimock.wire.message import Request
from tests.ocimock.strict import SERVER_OPTIONS, strict_tenancy
from tests.ocimock.support import client, refused
from tests.servers import running_server

STORAGE = "https://objectstorage.eu-frankfurt-1.oraclecloud.com"


@pytest.fixture
def mocked(request: pytest.FixtureRequest, strict: ServerFile) -> Iterator[MockedTenancy]:
    with strict_tenancy(request.param, strict) as found:
        yield found


def make_project(data_science: Any, compartment_id: str) -> str:
    details = oci.data_science.models.CreateProjectDetails(compartment_id=compartment_id)
    return str(data_science.create_project(details).data.id)


def make_notebook(data_science: Any, compartment_id: str) -> str:
    models = oci.data_science.models
    details = models.CreateNotebookSessionDetails(
        project_id=make_project(data_science, compartment_id),
        compartment_id=compartment_id,
        notebook_session_config_details=models.NotebookSessionConfigDetails(shape="VM.Standard2.1"),
    )
    return str(data_science.create_notebook_session(details).data.id)


def notebook(mocked: MockedTenancy) -> str:
    return make_notebook(client(mocked, oci.data_science.DataScienceClient), mocked.compartment_id)


def signer_of(environment: dict[str, str]) -> Any:
    """The SDK's own signer, as it finds it in a notebook session or a job run."""
    with mock.patch.dict(os.environ, environment):
        return oci.auth.signers.get_resource_principals_signer()


def storage(signer: Any, **options: Any) -> Any:
    return oci.object_storage.ObjectStorageClient(
        {}, signer=signer, retry_strategy=oci.retry.NoneRetryStrategy(), **options
    )


def caller(mocked: MockedCloud, signer: Any = None) -> Principal:
    """Who the mock takes the sender of a request for."""
    asked = requests.Request("GET", f"{STORAGE}/n").prepare()
    if signer is not None:
        signer(asked)
    return identify(mocked.cloud, Request.from_url("GET", f"{STORAGE}/n", asked.headers))


def make_user(mocked: MockedTenancy) -> str:
    details = oci.identity.models.CreateUserDetails(
        compartment_id=mocked.tenancy_id, name="ada", description="someone else"
    )
    home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    return str(home.create_user(details).data.id)


@pytest.mark.process_only("asks the function itself")
def test_user_is_known_by_the_key_id(mocked: MockedCloud) -> None:
    signer = oci.signer.Signer.from_config(mocked.config)
    assert caller(mocked, signer) == Principal("user", mocked.config["user"])
    ada = make_user(mocked)
    config = mocked.user_config(ada)
    assert config == mocked.user_config(ada)
    other = oci.signer.Signer(
        config["tenancy"], ada, config["fingerprint"], None, None, config["key_content"]
    )
    assert caller(mocked, other) == Principal("user", ada)
    home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    home.delete_api_key(ada, config["fingerprint"])
    home.delete_user(ada)
    assert caller(mocked, other) == ANONYMOUS


@pytest.mark.process_only("asks the function itself")
def test_nobody_is_anonymous(mocked: MockedCloud) -> None:
    assert caller(mocked) == ANONYMOUS
    for text in ("Basic eDp5", 'Signature keyId="ST$none"', 'Signature keyId="a/b/c"'):
        request = Request.from_url("GET", STORAGE, {"authorization": text})
        assert identify(mocked.cloud, request) == ANONYMOUS


def test_an_unknown_user_has_no_config(mocked: MockedTenancy) -> None:
    with pytest.raises(ValueError, match="nobody"):
        mocked.user_config("ocid1.user.oc1..nobody")


def test_a_user_with_all_its_keys_gets_no_other(mocked: MockedTenancy) -> None:
    ada = make_user(mocked)
    home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    for _ in range(3):
        pem = keys.public_pem(keys.new_private_pem())
        home.upload_api_key(ada, oci.identity.models.CreateApiKeyDetails(key=pem))
    with pytest.raises(ValueError, match="3 API keys"):
        mocked.user_config(ada)


def test_the_sdks_resource_principal_is_let_in(mocked: MockedTenancy) -> None:
    session = notebook(mocked)
    signer = signer_of(mocked.resource_principal(session))
    assert signer.region == "eu-frankfurt-1"
    assert signer.tenancy_id == mocked.tenancy_id
    assert signer.compartment_id == mocked.compartment_id
    store = storage(signer)
    assert store.get_namespace().data == "ocimock"
    details = oci.object_storage.models.CreateBucketDetails(
        name="b", compartment_id=mocked.compartment_id
    )
    store.create_bucket("ocimock", details)
    store.put_object("ocimock", "b", "o", b"x")


@pytest.mark.process_only("asks the function itself")
def test_a_principal_is_what_its_token_says(mocked: MockedCloud) -> None:
    session = notebook(mocked)
    found = caller(mocked, signer_of(mocked.resource_principal(session)))
    assert (found.kind, found.id) == ("resource", session)
    assert found.claims == {
        "res_tenant": mocked.tenancy_id,
        "res_type": "datasciencenotebooksession",
        "res_compartment": mocked.compartment_id,
        "res_id": session,
    }


def test_the_token_may_lie_in_files_as_on_oci(mocked: MockedTenancy, tmp_path: Path) -> None:
    environment = mocked.resource_principal(notebook(mocked))
    for name in ("OCI_RESOURCE_PRINCIPAL_RPST", "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"):
        (tmp_path / name).write_text(environment[name])
        environment[name] = str(tmp_path / name)
    assert storage(signer_of(environment)).get_namespace().data == "ocimock"


def test_server_lets_a_resource_and_another_user_in(strict: ServerFile) -> None:
    config = oci.config.from_file(strict.environment["OCI_CONFIG_FILE"])
    options: dict[str, Any] = {"service_endpoint": strict.url}
    data_science = oci.data_science.DataScienceClient(config, **options)
    session = make_notebook(data_science, Settings().compartment_id)
    served = ServedCloud(strict)
    environment = served.resource_principal(session)
    assert storage(signer_of(environment), **options).get_namespace().data == "ocimock"
    user = oci.identity.models.CreateUserDetails(
        compartment_id=config["tenancy"], name="ada", description="someone else"
    )
    ada = oci.identity.IdentityClient(config, **options).create_user(user).data.id
    store = oci.object_storage.ObjectStorageClient(served.user_config(ada), **options)
    assert store.get_namespace().data == "ocimock"


def test_a_state_file_keeps_keys_and_tokens_good(tmp_path: Path) -> None:
    """Also where the server's own credentials are new: a home that is not the first one."""
    state = str(tmp_path / "state")
    with running_server(tmp_path / "one", *SERVER_OPTIONS, "--state", state) as found:
        served, options = ServedCloud(found), {"service_endpoint": found.url}
        science = oci.data_science.DataScienceClient(served.config, **options)
        session = make_notebook(science, served.compartment_id)
        environment = served.resource_principal(session)
        first = served.config
        signer = oci.signer.Signer.from_config(first)
    with running_server(tmp_path / "two", *SERVER_OPTIONS, "--state", state) as found:
        second, options = ServedCloud(found), {"service_endpoint": found.url}
        assert second.config["fingerprint"] != first["fingerprint"]
        for config in (first, second.config):
            store = oci.object_storage.ObjectStorageClient(config, signer=signer, **options)
            assert store.get_namespace().data == "ocimock"
            signer = oci.signer.Signer.from_config(second.config)
        assert storage(signer_of(environment), **options).get_namespace().data == "ocimock"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"user": "ocid1.user.oc1..nobody"}', 404),
        ('{"resource": "?"}', 404),
        ('{"group": "x"}', 400),
        ("[]", 400),
        ("{", 400),
        ("{}", 400),
    ],
)
def test_server_makes_no_keys_for_what_is_not_there(
    strict: ServerFile, body: str, status: int
) -> None:
    answer = requests.post(f"{strict.url}/ocimock/principals", data=body, timeout=5)
    assert answer.status_code == status, answer.text


def test_a_token_ends_with_its_resource(mocked: MockedTenancy) -> None:
    session = notebook(mocked)
    mocked.advance(60)
    store = storage(signer_of(mocked.resource_principal(session)))
    assert store.get_namespace().data == "ocimock"
    client(mocked, oci.data_science.DataScienceClient).delete_notebook_session(session)
    mocked.advance(60)
    with refused(401, "NotAuthenticated", "a resource that is gone"):
        store.get_namespace()
    if isinstance(mocked, MockedCloud):
        signer = store.base_client.signer
        assert caller(mocked, signer) == ANONYMOUS


def test_a_token_is_of_no_use_without_its_key(mocked: MockedTenancy) -> None:
    session = notebook(mocked)
    environment = mocked.resource_principal(session)
    environment["OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"] = keys.new_private_pem().decode()
    with refused(401, "NotAuthenticated", "Failed to verify"):
        storage(signer_of(environment)).get_namespace()


def test_a_token_of_another_issuer_is_refused(mocked: MockedTenancy) -> None:
    environment = mocked.resource_principal(notebook(mocked))
    payload = tokens.read(environment["OCI_RESOURCE_PRINCIPAL_RPST"])
    forged = jwt.encode(dict(payload), keys.private_key(keys.new_private_pem()), algorithm="RS256")
    with refused(401, "NotAuthenticated", "not one that this mock issued"):
        storage(signer_of({**environment, "OCI_RESOURCE_PRINCIPAL_RPST": forged})).get_namespace()


def test_an_unsigned_token_is_refused(mocked: MockedTenancy) -> None:
    environment = mocked.resource_principal(notebook(mocked))
    payload = tokens.read(environment["OCI_RESOURCE_PRINCIPAL_RPST"])
    bare = jwt.encode(dict(payload), "", algorithm="none")
    with refused(401, "NotAuthenticated", "not one that this mock issued"):
        storage(signer_of({**environment, "OCI_RESOURCE_PRINCIPAL_RPST": bare})).get_namespace()


@pytest.mark.process_only("two mocks at once")
def test_a_mock_that_issued_none_takes_none(mocked: MockedCloud) -> None:
    environment = mocked.resource_principal(notebook(mocked))
    with (
        mock_oci(Settings(verify_signatures=True)),
        refused(401, "NotAuthenticated", "not one that this mock issued"),
    ):
        storage(signer_of(environment)).get_namespace()


def _issued(mocked: MockedCloud, seconds: float = 60.0, **claims: str) -> dict[str, str]:
    """The environment of a resource whose token is not quite as the mock issues them."""
    session = notebook(mocked)
    environment = mocked.resource_principal(session)
    pem = environment["OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"].encode()
    record = mocked.cloud.store.find("datasciencenotebooksession", session)
    assert record is not None
    with mock.patch.object(tokens, "claims", return_value={"res_type": "x", **claims}):
        token = tokens.issue(mocked.cloud, record, pem, seconds=seconds)
    return {**environment, "OCI_RESOURCE_PRINCIPAL_RPST": token}


@pytest.mark.process_only("makes a token of its own")
def test_an_expired_token_is_refused_by_real_time(mocked: MockedCloud) -> None:
    good = _issued(mocked, 3600.0, res_tenant=mocked.tenancy_id)
    mocked.advance(2 * 86400)
    assert storage(signer_of(good)).get_namespace().data == "ocimock"
    signer = signer_of(_issued(mocked, -1.0, res_tenant=mocked.tenancy_id))
    with refused(401, "NotAuthenticated", "expired"):
        storage(signer).get_namespace()


@pytest.mark.process_only("makes a token of its own")
def test_a_token_of_another_tenancy_is_refused(mocked: MockedCloud) -> None:
    with refused(401, "NotAuthenticated", "another tenancy"):
        storage(signer_of(_issued(mocked, res_tenant="ocid1.tenancy.oc1..other"))).get_namespace()


def test_a_token_says_what_services_read_of_it(mocked: MockedTenancy) -> None:
    session = notebook(mocked)
    environment = mocked.resource_principal(session)
    payload = tokens.read(environment["OCI_RESOURCE_PRINCIPAL_RPST"])
    assert payload["sub"] == session
    assert payload["res_type"] == "datasciencenotebooksession"
    assert time.time() < payload["exp"] <= time.time() + 86400 + 1
    public = json.loads(payload["jwk"])
    assert public["kty"] == "RSA"
    assert "d" not in public, "a private key in a token"
    assert environment["OCI_RESOURCE_PRINCIPAL_VERSION"] == "2.2"


def test_only_what_stands_has_a_resource_principal(mocked: MockedTenancy) -> None:
    session = notebook(mocked)
    data_science = client(mocked, oci.data_science.DataScienceClient)
    data_science.get_notebook_session(session)
    data_science.delete_notebook_session(session)
    with pytest.raises(ValueError, match="Authorization failed or requested resource not found"):
        mocked.resource_principal(session)


def test_ocifs_takes_the_resource_principal(mocked: MockedTenancy) -> None:
    from ocifs import OCIFileSystem

    environment = mocked.resource_principal(notebook(mocked))
    make = oci.object_storage.models.CreateBucketDetails(
        name="b", compartment_id=mocked.compartment_id
    )
    storage(signer_of(environment)).create_bucket("ocimock", make)
    with mock.patch.dict(os.environ, {**environment, "OCIFS_IAM_TYPE": "resource_principal"}):
        files = OCIFileSystem(region="eu-frankfurt-1", skip_instance_cache=True)
        with files.open("oci://b@ocimock/o.txt", "wb") as file:
            file.write(b"by a resource")
        assert files.cat("oci://b@ocimock/o.txt") == b"by a resource"
