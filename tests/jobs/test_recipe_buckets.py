"""Object Storage as the recipes use it, against ocimock."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest

from jobs.recipes import buckets
from jobs.recipes.ahead import ahead
from jobs.recipes.buckets import Bucket, BucketError, Stored
from jobs.recipes.credentials import CredentialsError, client
from ocimock import MockedCloud, mock_oci

MIB = 1024**2


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as found:
        _storage(found).create_bucket(
            found.namespace,
            oci.object_storage.models.CreateBucketDetails(
                name="b", compartment_id=found.compartment_id
            ),
        )
        yield found


@pytest.fixture
def bucket(cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setattr(buckets, "PART_SIZE", 10 * MIB)
    return Bucket.at(f"oci://b@{cloud.namespace}/base/tiny/")


def _storage(cloud: MockedCloud) -> Any:
    return oci.object_storage.ObjectStorageClient(cloud.config)


def _unfinished(cloud: MockedCloud) -> list[str]:
    found = _storage(cloud).list_multipart_uploads(cloud.namespace, "b").data
    return [one.object for one in found]


def test_a_large_file_goes_up_in_parts_and_comes_down_the_same(
    bucket: Bucket, cloud: MockedCloud, tmp_path: Path
) -> None:
    source, copy = tmp_path / "a.safetensors", tmp_path / "copy"
    source.write_bytes(os.urandom(23 * MIB))

    digest = bucket.upload(source, "a.safetensors")
    bucket.download("a.safetensors", copy)

    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert copy.read_bytes() == source.read_bytes()
    about = bucket.head("a.safetensors")
    assert about is not None
    assert (about.size, about.metadata["sha256"]) == (23 * MIB, digest)
    [summary] = _storage(cloud).list_objects(cloud.namespace, "b", fields="md5").data.objects
    assert summary.name == "base/tiny/a.safetensors"
    assert summary.md5.endswith("-3")
    assert _unfinished(cloud) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "copy"]


def test_small_objects_come_and_go(bucket: Bucket) -> None:
    bucket.write("config.json", b"{}", {"git-sha1": "x"})
    bucket.write("deep/er.txt", b"")
    assert list(bucket.list()) == [Stored("config.json", 2), Stored("deep/er.txt", 0)]
    assert list(bucket.list("deep/")) == [Stored("deep/er.txt", 0)]
    assert bucket.read("config.json") == b"{}"
    about = bucket.head("config.json")
    assert about is not None
    assert about.metadata == {"git-sha1": "x", "sha256": hashlib.sha256(b"{}").hexdigest()}
    bucket.delete("config.json")
    bucket.delete("config.json")
    assert bucket.read("config.json") is None
    assert bucket.head("config.json") is None


def test_what_is_deleted_is_not_kept_as_versions(bucket: Bucket, cloud: MockedCloud) -> None:
    """They would be paid for: the bucket has versioning, which a model by reference demands."""
    _storage(cloud).update_bucket(
        cloud.namespace,
        "b",
        oci.object_storage.models.UpdateBucketDetails(versioning="Enabled"),
    )
    for content in (b"1", b"2"):
        bucket.write("step-1/rank-0", content)
    bucket.write("step-1/rank-01", b"another")

    bucket.delete("step-1/rank-0")

    left = _storage(cloud).list_object_versions(cloud.namespace, "b").data.items
    assert [one.name for one in left] == ["base/tiny/step-1/rank-01"]


def test_versions_that_may_not_be_deleted_stop_nothing(
    bucket: Bucket, cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    _storage(cloud).update_bucket(
        cloud.namespace,
        "b",
        oci.object_storage.models.UpdateBucketDetails(versioning="Enabled"),
    )
    bucket.write("a", b"1")

    def refuse(*_: Any, **__: Any) -> None:
        raise oci.exceptions.ServiceError(404, "BucketNotFound", {}, "not authorized")

    monkeypatch.setattr(bucket.client, "list_object_versions", refuse)
    bucket.delete("a")
    assert bucket.read("a") is None


def test_parts_that_turn_out_wrong_make_no_object(bucket: Bucket, cloud: MockedCloud) -> None:
    def parts() -> Iterator[bytes]:
        yield os.urandom(10 * MIB)
        raise ValueError("wrong checksum")

    with pytest.raises(ValueError, match="wrong checksum"):
        bucket.upload_parts("a", parts())
    assert list(bucket.list()) == []
    assert _unfinished(cloud) == []


def test_what_an_interrupted_upload_left_is_removed(bucket: Bucket, cloud: MockedCloud) -> None:
    """A run that was killed could not clean up; another folder's uploads are left alone."""
    for name in ("base/tiny/a", "base/another/a"):
        details = oci.object_storage.models.CreateMultipartUploadDetails(object=name)
        _storage(cloud).create_multipart_upload(cloud.namespace, "b", details)
    bucket.upload_parts("a", [b"whole"])
    assert bucket.read("a") == b"whole"
    assert _unfinished(cloud) == ["base/another/a"]


def test_a_damaged_object_is_told_and_leaves_no_file(bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_parts("a", [b"xy"], {"sha256": hashlib.sha256(b"zz").hexdigest()})
    with pytest.raises(BucketError, match=r"oci://b@.+/base/tiny/a is damaged.+Upload it again"):
        bucket.download("a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_breaks_off_is_fetched_again(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oci._vendor.requests.exceptions import ChunkedEncodingError

    bucket.write("a", b"whole")
    real, asked = bucket.client.get_object, []

    class Broken:
        @property
        def content(self) -> bytes:
            raise ChunkedEncodingError("broken")

    def get_object(*args: Any, **how: Any) -> Any:
        asked.append(how["range"])
        answer = real(*args, **how)
        if len(asked) == 1:
            answer.data = Broken()
        return answer

    monkeypatch.setattr(bucket.client, "get_object", get_object)
    bucket.download("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert asked == ["bytes=0-4"] * 2


def test_refusals_are_told_with_what_to_look_at(cloud: MockedCloud, tmp_path: Path) -> None:
    absent = Bucket.at(f"oci://absent@{cloud.namespace}/x")
    with pytest.raises(BucketError, match=r"could not list oci://absent@.+opc-request-id .+policy"):
        list(absent.list())
    with pytest.raises(BucketError, match="there is no oci://absent@"):
        absent.download("a", tmp_path / "a")


@pytest.mark.parametrize("uri", ["b@n/x", "oci://b/x", "oci://@n/x", "s3://b@n/x", ""])
def test_what_is_no_place_is_told(uri: str) -> None:
    with pytest.raises(ValueError, match=r"write oci://BUCKET@NAMESPACE/FOLDER"):
        Bucket.at(uri, with_client=object())


def test_the_part_size_grows_where_parts_would_be_too_many() -> None:
    assert buckets.part_size(0) == buckets.PART_SIZE
    huge = 10 * 1024**4
    assert -(-huge // buckets.part_size(huge)) <= 10_000


def test_no_more_is_held_than_workers_and_one() -> None:
    """Parts are 64 MiB: what is drawn and not done is memory."""
    lock, state = threading.Lock(), {"held": 0, "most": 0}

    def items() -> Iterator[int]:
        for number in range(20):
            with lock:
                state["held"] += 1
                state["most"] = max(state["most"], state["held"])
            yield number

    def work(number: int) -> int:
        with lock:
            state["held"] -= 1
        return number * 2

    held = list(ahead(work, items(), workers=3))
    assert held == [number * 2 for number in range(20)]
    assert state["most"] <= 4


def test_nothing_to_sign_with_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OCI_IAM_TYPE", "OCI_RESOURCE_PRINCIPAL_VERSION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CredentialsError, match=r"no resource principal.+OCI_IAM_TYPE=api_key"):
        client(oci.object_storage.ObjectStorageClient)
    monkeypatch.setenv("OCI_IAM_TYPE", "api_key")
    monkeypatch.setenv("OCI_CONFIG_LOCATION", "/nowhere/config")
    with pytest.raises(CredentialsError, match=r"/nowhere/config.+OCI_CONFIG_LOCATION"):
        client(oci.object_storage.ObjectStorageClient)
