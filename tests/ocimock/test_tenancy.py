"""What tests get in their hand: the same in the process and behind a port."""

from __future__ import annotations

from datetime import UTC, datetime

import oci
import pytest

from ocimock import MockedTenancy, ServedCloud, Settings, mock_oci
from tests.ocimock.support import client, refused

m = oci.object_storage.models


def _bucket(mocked: MockedTenancy, name: str = "b") -> oci.object_storage.ObjectStorageClient:
    storage = client(mocked, oci.object_storage.ObjectStorageClient)
    details = m.CreateBucketDetails(name=name, compartment_id=mocked.compartment_id)
    storage.create_bucket(mocked.namespace, details)
    return storage


def test_it_says_what_it_is(mocked: MockedTenancy) -> None:
    plain = Settings()
    assert (mocked.tenancy_id, mocked.user_id) == (plain.tenancy_id, plain.user_id)
    assert (mocked.compartment_id, mocked.namespace) == (plain.compartment_id, plain.namespace)
    oci.config.validate_config(mocked.config)
    read = oci.config.from_file(str(mocked.credentials.config_file), mocked.profile)
    assert {name: read[name] for name in mocked.config} == mocked.config


def test_it_counts_what_stands_and_lists_the_calls(mocked: MockedTenancy) -> None:
    assert (mocked.standing(), mocked.bodies(), mocked.calls) == ({}, 0, [])
    storage = _bucket(mocked)
    storage.put_object(mocked.namespace, "b", "o", b"body")
    assert (mocked.standing(), mocked.bodies()) == ({"bucket": 1, "object": 1}, 1)
    shown = [(call.service, call.operation, call.method, call.status) for call in mocked.calls]
    assert shown == [
        ("objectstorage", "create_bucket", "POST", 200),
        ("objectstorage", "put_object", "PUT", 200),
    ]


def test_nothing_is_left_of_the_test_before(mocked: MockedTenancy) -> None:
    """Time neither: the tests of this module run in this order."""
    assert (mocked.standing(), mocked.bodies(), mocked.calls, list(mocked.faults.rules)) == (
        {},
        0,
        [],
        [],
    )


def test_time_can_be_let_pass(mocked: MockedTenancy) -> None:
    before = _bucket(mocked).get_bucket(mocked.namespace, "b").data.time_created
    mocked.advance(3600)
    after = _bucket(mocked, "c").get_bucket(mocked.namespace, "c").data.time_created
    assert 3600 <= (after - before).total_seconds() < 3660
    with pytest.raises(ValueError, match="-1"):
        mocked.advance(-1)


def test_faults_strike_and_are_counted(mocked: MockedTenancy) -> None:
    rule = mocked.faults.add("429 on the first 1 get_namespace")
    assert (rule.matched, rule.struck, rule.spent) == (0, 0, False)
    storage = client(mocked, oci.object_storage.ObjectStorageClient)
    with refused(429, "TooManyRequests"):
        storage.get_namespace()
    assert storage.get_namespace().data == mocked.namespace
    (rule,) = mocked.faults.rules
    assert (rule.matched, rule.struck, rule.spent) == (1, 1, True)
    mocked.faults.clear()
    assert list(mocked.faults.rules) == []


def test_other_users_and_resources_have_credentials(mocked: MockedTenancy) -> None:
    identity = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    details = oci.identity.models.CreateUserDetails(
        compartment_id=mocked.tenancy_id, name="ana", description="a user"
    )
    ana = identity.create_user(details).data
    config = mocked.user_config(ana.id)
    assert config["user"] == ana.id
    assert oci.object_storage.ObjectStorageClient(config).get_namespace().data == mocked.namespace
    science = client(mocked, oci.data_science.DataScienceClient)
    models = oci.data_science.models
    project = science.create_project(
        models.CreateProjectDetails(compartment_id=mocked.compartment_id)
    ).data
    environment = mocked.resource_principal(project.id)
    assert environment["OCI_RESOURCE_PRINCIPAL_VERSION"] == "2.2"


def test_a_reset_begins_anew(served_cloud: ServedCloud) -> None:
    served_cloud.faults.add("429 on get_bucket")
    served_cloud.advance(3600)
    served_cloud.reset()
    assert (served_cloud.standing(), served_cloud.calls, served_cloud.faults.rules) == ({}, [], [])
    storage = oci.object_storage.ObjectStorageClient(
        served_cloud.config, service_endpoint=served_cloud.url
    )
    details = m.CreateBucketDetails(name="b", compartment_id=served_cloud.compartment_id)
    made = storage.create_bucket(served_cloud.namespace, details).data.time_created
    assert abs((made - datetime.now(UTC)).total_seconds()) < 60


def test_a_server_says_why_it_refuses(served_cloud: ServedCloud) -> None:
    with pytest.raises(ValueError, match=r"POST /ocimock/faults: .*is not a fault rule"):
        served_cloud.faults.add("nonsense")


def test_a_server_is_asked_past_a_mock_and_past_a_proxy(
    served_cloud: ServedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with mock_oci():
        assert served_cloud.standing() == {}
