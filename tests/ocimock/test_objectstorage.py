"""Object Storage: buckets, objects, versions, parts, copies, links, through the SDK's client."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import oci
import pytest
import requests

from ocimock import MockedTenancy
from tests.ocimock.support import client, pages, refused

M = oci.object_storage.models
NS = "ocimock"


@pytest.fixture
def storage(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.object_storage.ObjectStorageClient)


@pytest.fixture
def bucket(mocked: MockedTenancy, storage: Any) -> str:
    return make_bucket(mocked, storage, "plain")


@pytest.fixture
def versioned(mocked: MockedTenancy, storage: Any) -> str:
    return make_bucket(mocked, storage, "versioned", versioning="Enabled")


def make_bucket(mocked: MockedTenancy, storage: Any, name: str, **fields: Any) -> str:
    details = M.CreateBucketDetails(name=name, compartment_id=mocked.compartment_id, **fields)
    storage.create_bucket(NS, details)
    return name


def fill(storage: Any, bucket: str, *names: str) -> None:
    for name in names:
        storage.put_object(NS, bucket, name, f"body of {name}".encode())


def names(listed: Any) -> list[str]:
    return [found.name for found in listed.data.objects]


def test_an_answers_date_is_the_time_that_objects_are_stamped_with(
    storage: Any, versioned: str, mocked: MockedTenancy
) -> None:
    """Who leases something by an object compares the two: the age of what lies there."""
    fill(storage, versioned, "lease")
    mocked.advance(3600)
    found = storage.get_object(NS, versioned, "lease").headers
    now, then = (parsedate_to_datetime(found[name]) for name in ("date", "last-modified"))
    assert timedelta(seconds=3600) <= now - then < timedelta(seconds=3660)


# --- buckets -------------------------------------------------------------------------------


def test_the_namespace_is_a_json_string(storage: Any, mocked: MockedTenancy) -> None:
    assert storage.get_namespace(compartment_id=mocked.tenancy_id).data == mocked.namespace


def test_a_bucket_is_created_listed_updated_deleted_and_gone(
    mocked: MockedTenancy, storage: Any
) -> None:
    make_bucket(mocked, storage, "b", freeform_tags={"a": "1"})
    assert [b.name for b in storage.list_buckets(NS, mocked.compartment_id).data] == ["b"]
    update = M.UpdateBucketDetails(versioning="Enabled", freeform_tags={"a": "2"})
    before = storage.get_bucket(NS, "b").data.etag
    storage.update_bucket(NS, "b", update)
    after = storage.get_bucket(NS, "b").data
    assert (after.versioning, after.freeform_tags) == ("Enabled", {"a": "2"})
    assert after.etag != before
    storage.delete_bucket(NS, "b")
    with refused(404, "BucketNotFound", "'b'"):
        storage.get_bucket(NS, "b")
    assert "bucket" not in mocked.standing()


def test_a_bucket_counts_its_objects_only_when_asked(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "one", "two")
    assert storage.get_bucket(NS, bucket).data.approximate_count is None
    asked = storage.get_bucket(NS, bucket, fields=["approximateCount", "approximateSize"]).data
    assert (asked.approximate_count, asked.approximate_size) == (2, len(b"body of one") * 2)


def test_tags_are_in_the_list_only_when_asked(
    mocked: MockedTenancy, storage: Any, bucket: str
) -> None:
    assert storage.list_buckets(NS, mocked.compartment_id).data[0].freeform_tags is None
    asked = storage.list_buckets(NS, mocked.compartment_id, fields=["tags"]).data
    assert asked[0].freeform_tags == {}


def test_buckets_are_listed_in_pages(mocked: MockedTenancy, storage: Any) -> None:
    for name in ("a", "b", "c"):
        make_bucket(mocked, storage, name)
    found = pages(storage.list_buckets, NS, mocked.compartment_id, limit=2)
    assert [[b.name for b in page] for page in found] == [["a", "b"], ["c"]]


def test_a_bucket_has_no_retention_rules(storage: Any, bucket: str) -> None:
    assert storage.list_retention_rules(NS, bucket).data.items == []


def test_a_name_is_taken_once_in_a_region(mocked: MockedTenancy, storage: Any, bucket: str) -> None:
    with refused(409, "BucketAlreadyExists", bucket):
        make_bucket(mocked, storage, bucket)
    elsewhere = client(mocked, oci.object_storage.ObjectStorageClient, region="us-ashburn-1")
    make_bucket(mocked, elsewhere, bucket)
    fill(elsewhere, bucket, "there")
    assert names(storage.list_objects(NS, bucket)) == []


@pytest.mark.parametrize("name", ["has space", "slash/es", "ü"])
def test_a_bucket_name_has_few_characters(mocked: MockedTenancy, storage: Any, name: str) -> None:
    with refused(400, "InvalidBucketName", name):
        make_bucket(mocked, storage, name)


def test_a_bucket_stands_in_a_compartment_that_exists(storage: Any) -> None:
    details = M.CreateBucketDetails(name="b", compartment_id="ocid1.compartment.oc1..nowhere")
    with refused(404, "NotAuthorizedOrNotFound", "nowhere"):
        storage.create_bucket(NS, details)


def test_another_namespace_is_not_found(storage: Any, bucket: str) -> None:
    with refused(404, "NamespaceNotFound", "elsewhere"):
        storage.get_bucket("elsewhere", bucket)


def test_versioning_that_never_was_cannot_be_suspended(storage: Any, bucket: str) -> None:
    with refused(400, "InvalidParameter", "versioning"):
        storage.update_bucket(NS, bucket, M.UpdateBucketDetails(versioning="Suspended"))


def test_an_update_with_an_old_etag_is_refused(storage: Any, bucket: str) -> None:
    with refused(412, "IfMatchFailed", "old"):
        storage.update_bucket(NS, bucket, M.UpdateBucketDetails(), if_match="old")


def test_a_bucket_with_objects_stays(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "left")
    with refused(409, "BucketNotEmpty", "left"):
        storage.delete_bucket(NS, bucket)


def test_a_bucket_with_versions_stays(storage: Any, versioned: str) -> None:
    fill(storage, versioned, "once")
    storage.delete_object(NS, versioned, "once")
    with refused(409, "BucketNotEmpty", "object versions"):
        storage.delete_bucket(NS, versioned)
    for version in storage.list_object_versions(NS, versioned).data.items:
        storage.delete_object(NS, versioned, version.name, version_id=version.version_id)
    storage.delete_bucket(NS, versioned)


def test_a_bucket_with_an_open_upload_stays(storage: Any, bucket: str) -> None:
    storage.create_multipart_upload(NS, bucket, M.CreateMultipartUploadDetails(object="big"))
    with refused(409, "BucketNotEmpty", "multipart"):
        storage.delete_bucket(NS, bucket)


# --- objects -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a", "a/b/c.txt", "dir/", "with space", "ü/日本", "a+b&c=d?e#f", "x%2Fy", "a//b"]
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_name_comes_back_as_it_was_sent(
    storage: Any, bucket: str, name: str, strict: bool
) -> None:
    storage.put_object(NS, bucket, name, b"1", enable_strict_url_encoding=strict)
    assert names(storage.list_objects(NS, bucket)) == [name]
    assert storage.get_object(NS, bucket, name).data.content == b"1"


@pytest.mark.parametrize("body", [b"", b"bytes", "text"])
def test_a_body_comes_back_as_it_was_sent(storage: Any, bucket: str, body: Any) -> None:
    storage.put_object(NS, bucket, "o", body)
    sent = body.encode() if isinstance(body, str) else body
    assert storage.get_object(NS, bucket, "o").data.content == sent


def test_a_stream_comes_back_as_it_was_sent(storage: Any, bucket: str) -> None:
    storage.put_object(NS, bucket, "o", io.BytesIO(b"a stream"))
    assert storage.get_object(NS, bucket, "o").data.content == b"a stream"


def test_head_and_get_tell_what_ocifs_reads(storage: Any, bucket: str) -> None:
    put = storage.put_object(NS, bucket, "o", b"12345", content_type="text/plain").headers
    md5 = base64.b64encode(hashlib.md5(b"12345").digest()).decode()
    assert put["opc-content-md5"] == md5
    for answer in (storage.head_object(NS, bucket, "o"), storage.get_object(NS, bucket, "o")):
        headers = answer.headers
        assert headers["content-length"] == "5"
        assert headers["content-type"] == "text/plain"
        assert headers["content-md5"] == md5
        assert headers["accept-ranges"] == "bytes"
        assert headers["etag"] == put["etag"]
        assert headers["version-id"] == put["version-id"]
        assert headers["last-modified"].endswith(" GMT")
        assert headers["storage-tier"] == "Standard"


def test_metadata_comes_back(storage: Any, bucket: str) -> None:
    storage.put_object(NS, bucket, "o", b"", opc_meta={"Owner": "me"}, cache_control="no-store")
    headers = storage.head_object(NS, bucket, "o").headers
    assert headers["opc-meta-owner"] == "me"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "got", "where"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_is_partial_content(
    storage: Any, bucket: str, asked: str, got: bytes, where: str
) -> None:
    storage.put_object(NS, bucket, "o", b"0123456789")
    answer = storage.get_object(NS, bucket, "o", range=asked)
    assert (answer.status, answer.data.content) == (206, got)
    assert answer.headers["content-range"] == where
    assert "content-md5" not in answer.headers


def test_a_range_behind_the_end_is_refused(storage: Any, bucket: str) -> None:
    storage.put_object(NS, bucket, "o", b"0123456789")
    with refused(416, "InvalidRange", "10 bytes"):
        storage.get_object(NS, bucket, "o", range="bytes=10-")


def test_headers_of_an_answer_can_be_set_by_the_client(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "o")
    answer = storage.get_object(
        NS, bucket, "o", http_response_content_disposition="attachment; filename=x"
    )
    assert answer.headers["content-disposition"] == "attachment; filename=x"


def test_a_missing_object_is_not_found(storage: Any, bucket: str) -> None:
    with refused(404, "ObjectNotFound", "'nothing'", bucket):
        storage.get_object(NS, bucket, "nothing")
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        storage.head_object(NS, bucket, "nothing")
    assert caught.value.status == 404
    with refused(404, "ObjectNotFound", "'nothing'"):
        storage.delete_object(NS, bucket, "nothing")
    with refused(404, "BucketNotFound", "nowhere"):
        storage.put_object(NS, "nowhere", "o", b"")


def test_a_body_with_another_md5_is_refused(storage: Any, bucket: str) -> None:
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with refused(400, "UnmatchedContentMD5", other):
        storage.put_object(NS, bucket, "o", b"body", content_md5=other)
    assert names(storage.list_objects(NS, bucket)) == []


def test_a_sha256_is_checked_and_kept(storage: Any, bucket: str) -> None:
    right = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    asked = {"opc_checksum_algorithm": "SHA256"}
    with refused(400, "UnmatchedContentSHA", right):
        storage.put_object(NS, bucket, "o", b"body", opc_content_sha256=wrong, **asked)
    storage.put_object(NS, bucket, "o", b"body", opc_content_sha256=right, **asked)
    assert storage.head_object(NS, bucket, "o").headers["opc-content-sha256"] == right


def test_what_the_mock_cannot_do_it_says(storage: Any, bucket: str) -> None:
    with refused(501, "NotImplemented", "CRC32C"):
        storage.put_object(NS, bucket, "o", b"", opc_checksum_algorithm="CRC32C")


def test_put_only_if_there_is_none(storage: Any, bucket: str) -> None:
    storage.put_object(NS, bucket, "o", b"1", if_none_match="*")
    with refused(412, "IfNoneMatchFailed", "*"):
        storage.put_object(NS, bucket, "o", b"2", if_none_match="*")
    assert storage.get_object(NS, bucket, "o").data.content == b"1"


def test_put_only_if_unchanged(storage: Any, bucket: str) -> None:
    first = storage.put_object(NS, bucket, "o", b"1").headers["etag"]
    storage.put_object(NS, bucket, "o", b"2", if_match=first)
    with refused(412, "IfMatchFailed", first):
        storage.put_object(NS, bucket, "o", b"3", if_match=first)
    with refused(412, "IfMatchFailed", first):
        storage.delete_object(NS, bucket, "o", if_match=first)


def test_get_only_if_changed(storage: Any, bucket: str) -> None:
    etag = storage.put_object(NS, bucket, "o", b"1").headers["etag"]
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        storage.get_object(NS, bucket, "o", if_none_match=etag)
    assert caught.value.status == 304
    storage.put_object(NS, bucket, "o", b"2")
    assert storage.get_object(NS, bucket, "o", if_none_match=etag).data.content == b"2"


@pytest.mark.parametrize("name", ["", "x" * 1025, "line\nfeed"])
def test_an_object_name_is_1_to_1024_bytes_of_one_line(
    storage: Any, bucket: str, name: str
) -> None:
    details = M.CreateMultipartUploadDetails(object=name)
    with refused(400, "InvalidObjectName"):
        storage.create_multipart_upload(NS, bucket, details, allow_control_chars=True)


def test_rename_moves_the_object(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "old", "taken")
    details = M.RenameObjectDetails(source_name="old", new_name="new")
    storage.rename_object(NS, bucket, details)
    assert names(storage.list_objects(NS, bucket)) == ["new", "taken"]
    assert storage.get_object(NS, bucket, "new").data.content == b"body of old"
    details = M.RenameObjectDetails(
        source_name="new", new_name="taken", new_obj_if_none_match_e_tag="*"
    )
    with refused(412, "IfNoneMatchFailed"):
        storage.rename_object(NS, bucket, details)
    with refused(404, "ObjectNotFound", "old"):
        storage.rename_object(
            NS, bucket, M.RenameObjectDetails(source_name="old", new_name="other")
        )


def test_batch_delete_tells_what_failed(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "a", "b")
    wanted = [M.BatchDeleteObjectIdentifier(object_name=name) for name in ("a", "missing")]
    result = storage.batch_delete_objects(
        NS, bucket, batch_delete_objects_details=M.BatchDeleteObjectsDetails(objects=wanted)
    ).data
    assert [found.object_name for found in result.deleted] == ["a"]
    assert [(found.object_name, found.status_code) for found in result.failed] == [("missing", 404)]
    assert names(storage.list_objects(NS, bucket)) == ["b"]


def test_no_body_stays_when_its_object_is_gone(
    mocked: MockedTenancy, storage: Any, bucket: str
) -> None:
    fill(storage, bucket, "o")
    fill(storage, bucket, "o")
    storage.delete_object(NS, bucket, "o")
    assert mocked.bodies() == 0


# --- lists ---------------------------------------------------------------------------------

TREE = ("a.txt", "data/1", "data/2", "data/sub/3", "logs/x", "z")


@pytest.mark.parametrize(
    ("asked", "objects", "prefixes"),
    [
        ({}, list(TREE), []),
        ({"prefix": "data/"}, ["data/1", "data/2", "data/sub/3"], []),
        ({"delimiter": "/"}, ["a.txt", "z"], ["data/", "logs/"]),
        ({"delimiter": "/", "prefix": "data/"}, ["data/1", "data/2"], ["data/sub/"]),
        ({"delimiter": "/", "prefix": "data"}, [], ["data/"]),
        ({"start": "data/2"}, ["data/2", "data/sub/3", "logs/x", "z"], []),
        ({"start_after": "data/2"}, ["data/sub/3", "logs/x", "z"], []),
        ({"end": "data/2"}, ["a.txt", "data/1"], []),
        ({"start": "b", "end": "m", "delimiter": "/"}, [], ["data/", "logs/"]),
        ({"prefix": "none"}, [], []),
    ],
)
def test_a_list_is_of_a_range(
    storage: Any, bucket: str, asked: dict[str, str], objects: list[str], prefixes: list[str]
) -> None:
    fill(storage, bucket, *TREE)
    found = storage.list_objects(NS, bucket, **asked)
    assert (names(found), found.data.prefixes) == (objects, prefixes)


@pytest.mark.parametrize("delimiter", [None, "/"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_list_goes_on_where_it_ended(
    storage: Any, bucket: str, limit: int, delimiter: str | None
) -> None:
    fill(storage, bucket, *TREE)
    options = {"delimiter": delimiter} if delimiter else {}
    whole = storage.list_objects(NS, bucket, **options)
    objects, prefixes, start = [], [], ""
    for _ in range(len(TREE)):
        page = storage.list_objects(NS, bucket, limit=limit, start=start, **options)
        assert len(page.data.objects) + len(page.data.prefixes) <= limit
        objects += names(page)
        prefixes += page.data.prefixes
        if not (start := page.data.next_start_with):
            break
    assert (objects, prefixes) == (names(whole), whole.data.prefixes)


def test_the_sdk_pages_through_a_list(storage: Any, bucket: str) -> None:
    fill(storage, bucket, *TREE)
    found = oci.pagination.list_call_get_all_results(storage.list_objects, NS, bucket, limit=2).data
    assert [item.name for item in found.objects] == list(TREE)


def test_a_list_has_the_fields_that_were_asked_for(storage: Any, bucket: str) -> None:
    fill(storage, bucket, "o")
    bare = storage.list_objects(NS, bucket).data.objects[0]
    assert (bare.name, bare.size, bare.etag) == ("o", None, None)
    fields = "name,size,etag,timeCreated,md5,timeModified,storageTier,archivalState"
    full = storage.list_objects(NS, bucket, fields=fields).data.objects[0]
    head = storage.head_object(NS, bucket, "o").headers
    assert (full.size, full.etag, full.md5) == (9, head["etag"], head["content-md5"])
    assert full.storage_tier == "Standard"
    assert full.time_created is not None


@pytest.mark.parametrize(
    ("query", "word"), [({"fields": "name,colour"}, "colour"), ({"delimiter": "-"}, "delimiter")]
)
def test_a_list_refuses_what_it_does_not_know(
    mocked: MockedTenancy, storage: Any, bucket: str, query: dict[str, str], word: str
) -> None:
    with refused(400, "InvalidParameter", word):
        storage.base_client.call_api(
            resource_path=f"/n/{NS}/b/{bucket}/o", method="GET", query_params=query
        )


# --- versions ------------------------------------------------------------------------------


def test_each_put_is_a_version(storage: Any, versioned: str) -> None:
    first = storage.put_object(NS, versioned, "o", b"1").headers["version-id"]
    second = storage.put_object(NS, versioned, "o", b"2").headers["version-id"]
    found = storage.list_object_versions(NS, versioned).data.items
    assert [item.version_id for item in found] == [second, first]
    assert storage.get_object(NS, versioned, "o").data.content == b"2"
    old = storage.get_object(NS, versioned, "o", version_id=first)
    assert old.data.content == b"1"
    assert storage.head_object(NS, versioned, "o", version_id=first).headers["version-id"] == first


def test_delete_puts_a_marker_before_the_versions(storage: Any, versioned: str) -> None:
    first = storage.put_object(NS, versioned, "o", b"1").headers["version-id"]
    gone = storage.delete_object(NS, versioned, "o").headers
    assert gone["is-delete-marker"] == "true"
    with refused(404, "ObjectNotFound"):
        storage.get_object(NS, versioned, "o")
    assert names(storage.list_objects(NS, versioned)) == []
    found = storage.list_object_versions(NS, versioned, fields="etag").data.items
    assert [item.is_delete_marker for item in found] == [True, False]
    assert storage.get_object(NS, versioned, "o", version_id=first).data.content == b"1"
    # Without the marker the object is there again.
    storage.delete_object(NS, versioned, "o", version_id=gone["version-id"])
    assert storage.get_object(NS, versioned, "o").data.content == b"1"


def test_a_marker_has_no_etag_as_ads_expects(storage: Any, versioned: str) -> None:
    etag = storage.put_object(NS, versioned, "o", b"1").headers["etag"]
    storage.delete_object(NS, versioned, "o")
    found = storage.list_object_versions(NS, versioned, fields="etag").data.items
    assert [item.etag for item in found if not item.is_delete_marker] == [etag]


def test_versions_come_in_pages(storage: Any, versioned: str) -> None:
    fill(storage, versioned, "a", "a", "b", "c")
    found = pages(storage.list_object_versions, NS, versioned, limit=3)
    assert [[item.name for item in page] for page in found] == [["a", "a", "b"], ["c"]]


def test_suspended_versioning_keeps_the_old_and_overwrites_the_new(
    storage: Any, versioned: str
) -> None:
    storage.put_object(NS, versioned, "o", b"kept")
    storage.update_bucket(NS, versioned, M.UpdateBucketDetails(versioning="Suspended"))
    fill(storage, versioned, "o", "o")
    assert len(storage.list_object_versions(NS, versioned).data.items) == 2


def test_an_unknown_version_is_not_found(storage: Any, versioned: str) -> None:
    fill(storage, versioned, "o")
    with refused(404, "ObjectNotFound", "no-such"):
        storage.get_object(NS, versioned, "o", version_id="no-such")


# --- uploads in parts ----------------------------------------------------------------------


def begin(storage: Any, bucket: str, **fields: Any) -> str:
    details = M.CreateMultipartUploadDetails(object="big", **fields)
    return str(storage.create_multipart_upload(NS, bucket, details).data.upload_id)


def part(storage: Any, bucket: str, upload: str, number: int, body: bytes) -> Any:
    etag = storage.upload_part(NS, bucket, "big", upload, number, body).headers["etag"]
    return M.CommitMultipartUploadPartDetails(part_num=number, etag=etag)


def commit(storage: Any, bucket: str, upload: str, parts: list[Any], **fields: Any) -> Any:
    details = M.CommitMultipartUploadDetails(parts_to_commit=parts, **fields)
    return storage.commit_multipart_upload(NS, bucket, "big", upload, details)


def test_parts_become_one_object(mocked: MockedTenancy, storage: Any, bucket: str) -> None:
    upload = begin(storage, bucket, content_type="text/plain", metadata={"a": "1"})
    second = part(storage, bucket, upload, 2, b"world")
    first = part(storage, bucket, upload, 1, b"hello ")
    listed = storage.list_multipart_upload_parts(NS, bucket, "big", upload).data
    assert [(item.part_number, item.size) for item in listed] == [(1, 6), (2, 5)]
    commit(storage, bucket, upload, [first, second])
    got = storage.get_object(NS, bucket, "big")
    assert got.data.content == b"hello world"
    assert got.headers["opc-multipart-md5"].endswith("-2")
    assert "content-md5" not in got.headers
    assert (got.headers["content-type"], got.headers["opc-meta-a"]) == ("text/plain", "1")
    assert storage.list_multipart_uploads(NS, bucket).data == []
    assert mocked.bodies() == 1


def test_metadata_of_any_script_does_not_hide_the_object(storage: Any, bucket: str) -> None:
    upload = begin(storage, bucket, metadata={"a": "日本"}, content_type="text/é")
    commit(storage, bucket, upload, [part(storage, bucket, upload, 1, b"1")])
    shown = "attachment; filename=日.txt"
    got = storage.get_object(NS, bucket, "big", http_response_content_disposition=shown)
    assert got.data.content == b"1"
    assert "opc-meta-a" in got.headers


def test_a_part_that_was_sent_again_counts_once(storage: Any, bucket: str) -> None:
    upload = begin(storage, bucket)
    old = part(storage, bucket, upload, 1, b"old")
    new = part(storage, bucket, upload, 1, b"new")
    with refused(400, "InvalidUploadPart", "part 1"):
        commit(storage, bucket, upload, [old])
    commit(storage, bucket, upload, [new])
    assert storage.get_object(NS, bucket, "big").data.content == b"new"


def test_a_part_is_committed_or_excluded(storage: Any, bucket: str) -> None:
    upload = begin(storage, bucket)
    first = part(storage, bucket, upload, 1, b"1")
    part(storage, bucket, upload, 2, b"2")
    with refused(400, "InvalidUploadPart", "part 2"):
        commit(storage, bucket, upload, [first])
    commit(storage, bucket, upload, [first], parts_to_exclude=[2])
    assert storage.get_object(NS, bucket, "big").data.content == b"1"


def test_an_aborted_upload_leaves_nothing(mocked: MockedTenancy, storage: Any, bucket: str) -> None:
    upload = begin(storage, bucket)
    part(storage, bucket, upload, 1, b"1")
    storage.abort_multipart_upload(NS, bucket, "big", upload)
    with refused(404, "NoSuchUpload", upload):
        part(storage, bucket, upload, 2, b"2")
    assert mocked.bodies() == 0
    storage.delete_bucket(NS, bucket)


def test_the_upload_manager_of_the_sdk_works_in_parallel(
    storage: Any, bucket: str, tmp_path: Any
) -> None:
    body = bytes(range(256)) * 4096
    path = tmp_path / "file"
    path.write_bytes(body)
    manager = oci.object_storage.UploadManager(storage, allow_parallel_uploads=True)
    manager.upload_file(NS, bucket, "big", str(path), part_size=300_000)
    assert storage.get_object(NS, bucket, "big").data.content == body


# --- copies --------------------------------------------------------------------------------


def copy(storage: Any, bucket: str, mocked: MockedTenancy, **changes: Any) -> Any:
    fields = {
        "source_object_name": "o",
        "destination_region": mocked.config["region"],
        "destination_namespace": NS,
        "destination_bucket": bucket,
        "destination_object_name": "copy",
        **changes,
    }
    answer = storage.copy_object(NS, bucket, M.CopyObjectDetails(**fields))
    assert answer.status == 202
    return storage.get_work_request(answer.headers["opc-work-request-id"]).data


def test_a_copy_is_a_work_request(mocked: MockedTenancy, storage: Any, bucket: str) -> None:
    storage.put_object(NS, bucket, "o", b"body", opc_meta={"a": "1"})
    work = copy(storage, bucket, mocked)
    assert (work.status, work.percent_complete) == ("COMPLETED", 100.0)
    got = storage.get_object(NS, bucket, "copy")
    assert (got.data.content, got.headers["opc-meta-a"]) == (b"body", "1")


def test_a_copy_to_nowhere_fails_and_says_why(
    mocked: MockedTenancy, storage: Any, bucket: str
) -> None:
    fill(storage, bucket, "o")
    work = copy(storage, bucket, mocked, destination_bucket="nowhere")
    assert work.status == "FAILED"
    errors = storage.list_work_request_errors(work.id).data
    assert "nowhere" in errors[0].message


def test_a_copy_crosses_regions(mocked: MockedTenancy, storage: Any, bucket: str) -> None:
    fill(storage, bucket, "o")
    elsewhere = client(mocked, oci.object_storage.ObjectStorageClient, region="us-ashburn-1")
    make_bucket(mocked, elsewhere, "there")
    copy(storage, bucket, mocked, destination_region="us-ashburn-1", destination_bucket="there")
    assert elsewhere.get_object(NS, "there", "copy").data.content == b"body of o"


# --- pre-authenticated requests ------------------------------------------------------------


def link(storage: Any, bucket: str, access: str, name: str | None) -> Any:
    details = M.CreatePreauthenticatedRequestDetails(
        name="link",
        access_type=access,
        object_name=name,
        time_expires=datetime.now(UTC) + timedelta(hours=1),
    )
    return storage.create_preauthenticated_request(NS, bucket, details).data


def test_a_link_reads_without_credentials_until_it_expires(
    mocked: MockedTenancy, storage: Any, bucket: str
) -> None:
    fill(storage, bucket, "o")
    url = link(storage, bucket, "ObjectRead", "o").full_path
    assert requests.get(url, timeout=5).content == b"body of o"
    assert requests.put(url, data=b"x", timeout=5).status_code == 404
    mocked.advance(3601)
    assert requests.get(url, timeout=5).status_code == 404


def test_a_link_for_any_object_is_one_for_its_prefix(storage: Any, bucket: str) -> None:
    url = link(storage, bucket, "AnyObjectWrite", "in/").full_path
    assert requests.put(url + "in/x", data=b"1", timeout=5).status_code == 200
    assert requests.put(url + "out/x", data=b"1", timeout=5).status_code == 404
    assert names(storage.list_objects(NS, bucket)) == ["in/x"]


def test_a_link_shows_its_secret_once(storage: Any, bucket: str) -> None:
    made = link(storage, bucket, "ObjectRead", "o")
    listed = storage.list_preauthenticated_requests(NS, bucket).data
    assert [found.id for found in listed] == [made.id]
    assert not hasattr(listed[0], "access_uri")
    storage.delete_preauthenticated_request(NS, bucket, made.id)
    assert storage.list_preauthenticated_requests(NS, bucket).data == []
