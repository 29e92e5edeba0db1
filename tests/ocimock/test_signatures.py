"""``--verify-signatures``: what the SDK signs is let in, and nothing changed on its way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import oci
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ocimock import MockedTenancy, mock_oci
from ocimock.iam import keys
from ocimock.server.announcement import ServerFile
from tests.ocimock.strict import strict_tenancy
from tests.ocimock.support import client, refused
from tests.servers import running_server

STORAGE = "https://objectstorage.eu-frankfurt-1.oraclecloud.com"
BUCKETS = f"{STORAGE}/n/ocimock/b"
INCORRECT = "The required information to complete authentication was not provided or was incorrect."

# What `openssl pkey -pubin -outform DER | openssl md5 -c` says of a key.
EXAMPLE = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvhWvOfxSFKnIpkO3uAnQ\n"
    "StJbqyZHFZYmpHbmTotl20Zs+ZYq0etvyOJG2erZgPBhyB44zZoriI/cdfnv3g4r\n"
    "kNZIxAGLSITy69l6IhewKp3524Ws/NhzDySWhXYdeXA+IV6BgA+2uKXnMQ7oZDEd\n"
    "ONExIrtSk9G1xhPXAOXs2j7IBKw5d2JTLyEt4dhnLzYyMnKtJz/gbN2zbLOQJ2FI\n"
    "OPkvyosE1rCkC5yJ0rB5uv3s9p9Z9O8L4rdl4lA1rtkj8U0o+ar1ueXq7tI1/KuP\n"
    "ZQOvxwPgTXAZYbV4sZ55HEH8Hi8RIOZb7Nn8rO2gAbBhbKdC8AgEP3GwxGjr1GRH\n"
    "BQIDAQAB\n"
    "-----END PUBLIC KEY-----\n"
)
EXAMPLE_FINGERPRINT = "f9:1d:e1:56:f6:ab:48:5b:8d:49:b3:bd:06:ad:3a:39"


@pytest.fixture
def mocked(request: pytest.FixtureRequest, strict: ServerFile) -> Iterator[MockedTenancy]:
    with strict_tenancy(request.param, strict) as found:
        yield found


def storage(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.object_storage.ObjectStorageClient)


def identity(mocked: MockedTenancy, config: dict[str, str] | None = None) -> Any:
    settings = {**(config or mocked.config), "region": "us-ashburn-1"}
    return oci.identity.IdentityClient(settings, retry_strategy=oci.retry.NoneRetryStrategy())


def make_bucket(mocked: MockedTenancy, name: str = "b") -> None:
    details = oci.object_storage.models.CreateBucketDetails(
        name=name, compartment_id=mocked.compartment_id
    )
    storage(mocked).create_bucket("ocimock", details)


def make_user(mocked: MockedTenancy, name: str = "ada") -> str:
    details = oci.identity.models.CreateUserDetails(
        compartment_id=mocked.tenancy_id, name=name, description="someone else"
    )
    return str(identity(mocked).create_user(details).data.id)


def new_public_pem(bits: int = 2048) -> str:
    return pem_of(rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key())


def pem_of(key: Any) -> str:
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def signed(mocked: MockedTenancy, method: str = "GET", url: str = BUCKETS, **options: Any) -> Any:
    """A request that the SDK's signer signed, ready to be tampered with."""
    asked = requests.Request(method, url, **options).prepare()
    return oci.signer.Signer.from_config(mocked.config)(asked)


def send(request: Any) -> requests.Response:
    with requests.Session() as session:
        # A prepared request heeds the environment's proxy only when told to.
        settings = session.merge_environment_settings(request.url, {}, None, None, None)
        return session.send(request, timeout=5, **settings)


def check_refused(answer: requests.Response, *words: str) -> None:
    assert answer.status_code == 401, answer.text
    body = answer.json()
    assert body["code"] == "NotAuthenticated"
    for word in words:
        assert word in body["message"]


def test_what_the_sdk_signs_is_let_in(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    store = storage(mocked)
    name = "a folder/naïve & co+x?.txt"
    store.put_object("ocimock", "b", name, b"hello")
    assert store.get_object("ocimock", "b", name).data.content == b"hello"
    listed = store.list_objects("ocimock", "b", prefix="a folder/", fields="name,size").data
    assert [found.name for found in listed.objects] == [name]
    store.head_object("ocimock", "b", name)
    store.delete_object("ocimock", "b", name)


def test_upload_in_parts_is_let_in_without_a_signed_body(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    store = storage(mocked)
    details = oci.object_storage.models.CreateMultipartUploadDetails(object="big")
    upload = store.create_multipart_upload("ocimock", "b", details).data.upload_id
    part = store.upload_part("ocimock", "b", "big", upload, 1, b"part").headers["etag"]
    commit = oci.object_storage.models.CommitMultipartUploadDetails(
        parts_to_commit=[
            oci.object_storage.models.CommitMultipartUploadPartDetails(part_num=1, etag=part)
        ]
    )
    store.commit_multipart_upload("ocimock", "b", "big", upload, commit)
    assert store.get_object("ocimock", "b", "big").data.content == b"part"


def test_server_lets_in_what_the_sdk_signs_by_either_way(strict: ServerFile) -> None:
    config = oci.config.from_file(strict.environment["OCI_CONFIG_FILE"])
    plain = oci.object_storage.ObjectStorageClient(config, service_endpoint=strict.url)
    assert plain.get_namespace().data == "ocimock"
    asked = requests.Request("GET", f"{BUCKETS}?compartmentId={config['tenancy']}").prepare()
    oci.signer.Signer.from_config(config)(asked)
    with requests.Session() as session:
        options: dict[str, Any] = {
            "proxies": {"https": strict.url},
            "verify": strict.environment["REQUESTS_CA_BUNDLE"],
            "timeout": 10,
        }
        assert session.send(asked, **options).status_code == 200
        asked.headers["host"] = "objectstorage.us-ashburn-1.oraclecloud.com"
        check_refused(session.send(asked, **options), "Failed to verify the HTTP(S) Signature")


def test_server_refuses_the_unsigned_and_shows_its_own_pages(strict: ServerFile) -> None:
    check_refused(requests.get(f"{strict.url}/n", timeout=5), INCORRECT)
    assert requests.get(f"{strict.url}/ocimock/health", timeout=5).json()["status"] == "ok"


def test_server_takes_the_key_of_its_home_up_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("again")
    fingerprints = []
    for _ in range(2):
        with running_server(home, "--pace", "0", "--verify-signatures") as found:
            config = oci.config.from_file(found.environment["OCI_CONFIG_FILE"])
            fingerprints.append(config["fingerprint"])
            store = oci.object_storage.ObjectStorageClient(config, service_endpoint=found.url)
            assert store.get_namespace().data == "ocimock"
            requests.post(f"{found.url}/ocimock/reset", timeout=5)
            assert store.get_namespace().data == "ocimock"
    assert len(set(fingerprints)) == 1


def test_no_signature_at_all_is_refused(mocked: MockedTenancy) -> None:
    check_refused(requests.get(f"{STORAGE}/n", timeout=5), INCORRECT, "no Authorization header")


def test_without_the_option_nothing_is_verified() -> None:
    with mock_oci():
        assert requests.get(f"{STORAGE}/n", timeout=5).status_code == 200


def test_pre_authenticated_request_needs_no_signature(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    storage(mocked).put_object("ocimock", "b", "o", b"shared")
    details = oci.object_storage.models.CreatePreauthenticatedRequestDetails(
        name="p",
        object_name="o",
        access_type="ObjectRead",
        time_expires=datetime.now(UTC) + timedelta(hours=1),
    )
    link = storage(mocked).create_preauthenticated_request("ocimock", "b", details).data
    assert requests.get(STORAGE + link.access_uri, timeout=5).content == b"shared"


@pytest.mark.parametrize(("access", "status"), [("ObjectRead", 200), ("NoPublicAccess", 401)])
def test_a_public_bucket_is_read_without_a_signature(
    mocked: MockedTenancy, access: str, status: int
) -> None:
    details = oci.object_storage.models.CreateBucketDetails(
        name="b", compartment_id=mocked.compartment_id, public_access_type=access
    )
    storage(mocked).create_bucket("ocimock", details)
    storage(mocked).put_object("ocimock", "b", "o", b"for all")
    assert requests.get(f"{BUCKETS}/b/o/o", timeout=5).status_code == status
    assert requests.put(f"{BUCKETS}/b/o/o", b"by all", timeout=5).status_code == 401


def _replace(pattern: str, by: str) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        before = request.headers["authorization"]
        request.headers["authorization"] = re.sub(pattern, by, before)
        assert request.headers["authorization"] != before

    return change


def _set(name: str, text: str) -> Callable[[Any], None]:
    return lambda request: request.headers.__setitem__(name, text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("host", "objectstorage.us-ashburn-1.oraclecloud.com"), "Failed to verify"),
        (_replace(r'signature="..', 'signature="AA'), "Failed to verify"),
        (_replace(r'signature="..', 'signature="*'), "Base64"),
        (_replace(r'signature="[^"]*"', 'signature=""'), "no signature"),
        (_replace(r'keyId="[^"]*",', ""), "no keyId"),
        (_replace(r'keyId="[^"]*"', 'keyId="me"'), "tenancy/user/fingerprint"),
        (_replace(r'keyId="[^/]*/', 'keyId="ocid1.tenancy.oc1..other/'), "another tenancy"),
        (_replace(r"/ocid1\.user[^/]*/", "/ocid1.user.oc1..nobody/"), "a user that"),
        (_replace(r'/[0-9a-f:]{47}"', '/aa:bb"'), "a fingerprint that"),
        (_replace("rsa-sha256", "hmac-sha256"), "rsa-sha256"),
        (_replace('version="1"', 'version="2"'), "version"),
        (_replace("^Signature", "Bearer"), "scheme"),
        (_replace('version="1"', 'version="1",keyId="x"'), "twice"),
        (_replace('version="1"', "version"), "name="),
        (_replace(" host", ""), "not signed: host"),
        (_replace(r"\(request-target\) ", ""), "not signed: (request-target)"),
        (_replace("date ", ""), "not signed: date"),
        (_replace("date ", "date opc-request-id "), "opc-request-id is said to be signed"),
        (_set("date", "yesterday"), "the date can't be read"),
    ],
)
def test_what_was_changed_is_refused(
    mocked: MockedTenancy, change: Callable[[Any], None], words: str
) -> None:
    request = signed(mocked, url=f"{BUCKETS}?compartmentId={mocked.compartment_id}")
    assert send(request).status_code == 200
    given = re.search(r'signature="([^"]+)"', request.headers["authorization"])
    change(request)
    answer = send(request)
    check_refused(answer, words)
    assert given is not None
    assert given[1][4:] not in answer.text


def test_another_path_or_query_is_refused(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    for url in (f"{BUCKETS}?compartmentId={mocked.tenancy_id}", f"{BUCKETS}/b/o"):
        request = signed(mocked, url=f"{BUCKETS}/b")
        request.url = url
        check_refused(send(request), "Failed to verify")


@pytest.mark.process_only("over HTTP the Host header is the host")
def test_another_regions_host_is_refused(mocked: MockedTenancy) -> None:
    request = signed(mocked, url=f"{STORAGE}/n")
    request.url = f"{STORAGE.replace('eu-frankfurt-1', 'us-ashburn-1')}/n"
    check_refused(send(request), "the signature is for the host", "eu-frankfurt-1")


def test_another_verb_is_refused(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    request = signed(mocked, url=f"{BUCKETS}/b")
    request.method = "DELETE"
    check_refused(send(request), "Failed to verify")
    assert storage(mocked).get_bucket("ocimock", "b").data.name == "b"


def test_form_of_the_header_is_free_in_case_and_order(mocked: MockedTenancy) -> None:
    request = signed(mocked, url=f"{STORAGE}/n")
    text = request.headers["authorization"].removeprefix("Signature ")
    parameters = dict(re.findall(r'(\w+)="([^"]*)"', text))
    swapped = " , ".join(f'{name.upper()} = "{parameters[name]}"' for name in sorted(parameters))
    request.headers["authorization"] = f"SIGNATURE   {swapped}"
    assert send(request).status_code == 200


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_clocks_may_differ_by_five_minutes(
    mocked: MockedTenancy, minutes: int, status: int
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    request = signed(mocked, url=f"{STORAGE}/n", headers={"date": date})
    answer = send(request)
    assert answer.status_code == status
    if status == 401:
        check_refused(answer, f"Date '{date}' is not within allowed clock skew", "valid datetime")


def test_a_mock_whose_clock_runs_ahead_takes_todays_signatures(mocked: MockedTenancy) -> None:
    mocked.advance(7 * 86400)
    assert storage(mocked).get_namespace().data == "ocimock"


def test_x_date_stands_in_for_date(mocked: MockedTenancy) -> None:
    config = mocked.config
    api_key = f"{config['tenancy']}/{config['user']}/{config['fingerprint']}"
    private = oci.signer.load_private_key_from_file(config["key_file"])
    signer = oci.auth.signers.SecurityTokenSigner(
        "unused", private, generic_headers=["x-date", "(request-target)", "host"]
    )
    signer._basic_signer.reset_signer(api_key, private)
    for minutes, status in ((0, 200), (-6, 401)):
        date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
        request = requests.Request("GET", f"{STORAGE}/n", headers={"x-date": date}).prepare()
        assert send(signer(request)).status_code == status


def _new_bucket(mocked: MockedTenancy) -> dict[str, str]:
    return {"name": "b", "compartmentId": mocked.compartment_id}


def test_another_body_than_the_signed_one_is_refused(mocked: MockedTenancy) -> None:
    request = signed(mocked, "POST", BUCKETS, json=_new_bucket(mocked))
    request.body = request.body.replace(b'"b"', b'"c"')
    check_refused(send(request), "x-content-sha256 is not the body's")


def test_a_body_has_to_be_signed(mocked: MockedTenancy) -> None:
    asked = requests.Request("POST", BUCKETS, json=_new_bucket(mocked)).prepare()
    bare = oci.signer.Signer.from_config(mocked.config).without_content_headers(asked)
    check_refused(send(bare), "not signed: content-length, content-type, x-content-sha256")
    assert send(signed(mocked, "POST", BUCKETS, json=_new_bucket(mocked))).status_code == 200


def test_a_digest_of_an_object_is_compared_where_it_is_signed(mocked: MockedTenancy) -> None:
    make_bucket(mocked)
    request = signed(mocked, "PUT", f"{BUCKETS}/b/o/o", data=b"hello")
    assert send(request).status_code == 200
    request.body = b"hullo"
    check_refused(send(request), "x-content-sha256 is not the body's")


def test_requests_without_a_body_need_no_digest(mocked: MockedTenancy) -> None:
    url = "https://datascience.eu-frankfurt-1.oci.oraclecloud.com/20190101/models/m"
    asked = requests.Request("POST", f"{url}/actions/deactivate").prepare()
    bare = oci.signer.Signer.from_config(mocked.config).without_content_headers(asked)
    assert send(bare).json()["code"] == "NotAuthorizedOrNotFound"


def test_a_users_own_key_is_asked_for(mocked: MockedTenancy) -> None:
    ada = make_user(mocked)
    config = mocked.user_config(ada)
    assert identity(mocked, config).get_user(ada).data.id == ada
    stolen = {**config, "user": mocked.config["user"]}
    with refused(401, "NotAuthenticated", "a fingerprint that"):
        identity(mocked, stolen).get_user(ada)
    # Right name, wrong key.
    with refused(401, "NotAuthenticated", "Failed to verify"):
        identity(mocked, {**mocked.config, "key_content": config["key_content"]}).get_user(ada)


def test_a_deleted_users_key_opens_nothing_any_more(mocked: MockedTenancy) -> None:
    ada = make_user(mocked)
    config = mocked.user_config(ada)
    identity(mocked).delete_user(ada)
    with refused(401, "NotAuthenticated", "a user that"):
        identity(mocked, config).get_user(ada)


def test_a_deleted_key_opens_nothing_any_more(mocked: MockedTenancy) -> None:
    ada = make_user(mocked)
    config = mocked.user_config(ada)
    identity(mocked).delete_api_key(ada, config["fingerprint"])
    with refused(401, "NotAuthenticated"):
        identity(mocked, config).get_user(ada)
    assert identity(mocked).list_api_keys(ada).data == []


def test_api_keys_as_a_user_keeps_them(mocked: MockedTenancy) -> None:
    ada = make_user(mocked)
    admin = identity(mocked)

    def upload(pem: str) -> Any:
        return admin.upload_api_key(ada, oci.identity.models.CreateApiKeyDetails(key=pem)).data

    first_pem = new_public_pem()
    first = upload(first_pem)
    assert first.key_id == f"{mocked.tenancy_id}/{ada}/{first.fingerprint}"
    assert (first.user_id, first.lifecycle_state) == (ada, "ACTIVE")
    with refused(409, "ApiKeyAlreadyExists", first.fingerprint):
        upload(first_pem)
    fingerprints = [first.fingerprint, *(upload(new_public_pem()).fingerprint for _ in range(2))]
    with refused(400, "LimitExceeded", "3 API keys"):
        upload(new_public_pem())
    assert [key.fingerprint for key in admin.list_api_keys(ada).data] == fingerprints
    admin.delete_api_key(ada, first.fingerprint)
    assert upload(first_pem).fingerprint == first.fingerprint
    with refused(404, "NotAuthorizedOrNotFound", "aa:bb"):
        admin.delete_api_key(ada, "aa:bb")


def test_fingerprint_is_the_one_that_openssl_and_oci_compute(mocked: MockedTenancy) -> None:
    [key] = identity(mocked).list_api_keys(mocked.config["user"]).data
    assert key.fingerprint == mocked.config["fingerprint"]
    assert re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){15}", key.fingerprint)
    assert keys.fingerprint(EXAMPLE) == EXAMPLE_FINGERPRINT


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("not a key", "PEM"),
        (new_public_pem(1024), "1024 bits"),
        (pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "RSA"),
        (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            .decode(),
            "public key",
        ),
    ],
    ids=["no key", "short", "another kind", "private"],
)
def test_what_is_no_api_key_is_refused(mocked: MockedTenancy, pem: str, words: str) -> None:
    ada = make_user(mocked)
    with refused(400, "InvalidParameter", "key", words) as caught:
        identity(mocked).upload_api_key(ada, oci.identity.models.CreateApiKeyDetails(key=pem))
    assert pem not in caught.value.message or pem == "not a key"


def test_keys_go_in_at_home_only(mocked: MockedTenancy) -> None:
    abroad = client(mocked, oci.identity.IdentityClient, region="eu-frankfurt-1")
    with refused(403, "NotAllowed"):
        abroad.upload_api_key(
            mocked.config["user"], oci.identity.models.CreateApiKeyDetails(key=new_public_pem())
        )
