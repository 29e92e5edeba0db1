"""The object store against a plain model of it: whatever is done, in whatever order."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import oci
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from oci.object_storage import ObjectStorageClient
from oci.object_storage import models as sdk

from ocimock import mock_oci
from tests.ocimock.support import client

NS, BUCKET = "ocimock", "b"

# Few names, close to each other, so that much happens to each.
_NAME = st.sampled_from(["a", "a/b", "a/b/c", "a/c", "b/a", "ä b+c%25"])
# Now and then any that OCI takes. Clients take '.' and '..' out of a URL before anybody sees it.
_NAMES = st.one_of(
    _NAME,
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"),
        min_size=1,
        max_size=8,
    ).filter(lambda name: name.strip() and not {".", ".."} & set(name.split("/"))),
)
_BODIES = st.binary(max_size=40)


@dataclass
class Version:
    """One version of an object; a delete marker has no body."""

    id: str
    body: bytes | None
    etag: str
    # Came while versioning was enabled: nothing but a deletion by its id takes it away.
    kept: bool


@dataclass
class Model:
    """A bucket: for each name its versions, oldest first."""

    versioning: str = "Disabled"
    objects: dict[str, list[Version]] = field(default_factory=dict)

    def present(self, name: str) -> Version | None:
        versions = self.objects.get(name)
        return versions[-1] if versions and versions[-1].body is not None else None

    def write(self, name: str, version_id: str, body: bytes | None, etag: str) -> None:
        kept = self.versioning == "Enabled"
        if not kept:
            self.objects[name] = [v for v in self.objects.get(name, []) if v.kept]
        self.objects.setdefault(name, []).append(Version(version_id, body, etag, kept))

    def remove(self, name: str, version_id: str) -> None:
        self.objects[name] = [v for v in self.objects[name] if v.id != version_id]
        if not self.objects[name]:
            del self.objects[name]

    def names(self) -> list[str]:
        return sorted(name for name in self.objects if self.present(name))

    def listed(
        self, *, prefix: str, delimiter: str, start: str, after: str, end: str
    ) -> list[tuple[str, str]]:
        """What a list shows, in order: ('object', name) and ('prefix', name)."""
        found: list[tuple[str, str]] = []
        for name in self.names():
            if not name.startswith(prefix) or name < start or (end and name >= end):
                continue
            if after and name <= after:
                continue
            rest = name[len(prefix) :]
            if delimiter and delimiter in rest:
                entry = ("prefix", prefix + rest.split(delimiter)[0] + delimiter)
                if entry not in found and entry[1] != after:
                    found.append(entry)
            else:
                found.append(("object", name))
        return found


def _same(found: object, expected: object) -> None:
    assert found == expected


class ObjectStore(RuleBasedStateMachine):
    """Every rule does the same to the mock and to the model, and compares what comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        mocked = self.stack.enter_context(mock_oci())
        self.storage: Any = client(mocked, ObjectStorageClient)
        details = sdk.CreateBucketDetails(name=BUCKET, compartment_id=mocked.compartment_id)
        self.storage.create_bucket(NS, details)
        self.model = Model()

    def teardown(self) -> None:
        with self.stack:
            self.every_version_has_its_body()

    @initialize(
        versioning=st.sampled_from(["Disabled", "Enabled", "Suspended"]),
        kept=st.lists(_NAME, min_size=2, max_size=6),
        more=st.lists(_NAME, min_size=2, max_size=6),
    )
    def begin(self, versioning: str, kept: list[str], more: list[str]) -> None:
        """A bucket with objects in it, some in several versions."""
        if versioning != "Disabled":
            self.set_versioning("Enabled")
        for number, name in enumerate(kept):
            self.put(name, b"kept %d" % number)
        if versioning == "Suspended":
            self.set_versioning("Suspended")
        for number, name in enumerate(more):
            self.put(name, b"more %d" % number)

    @rule(versioning=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, versioning: str) -> None:
        if versioning == "Suspended" and self.model.versioning == "Disabled":
            return
        self.storage.update_bucket(NS, BUCKET, sdk.UpdateBucketDetails(versioning=versioning))
        self.model.versioning = versioning

    @rule(name=_NAMES, body=_BODIES)
    def put(self, name: str, body: bytes) -> None:
        headers = self.storage.put_object(NS, BUCKET, name, body).headers
        self.model.write(name, headers["version-id"], body, headers["etag"])

    @rule(name=_NAME, body=_BODIES)
    def put_only_if_new(self, name: str, body: bytes) -> None:
        try:
            headers = self.storage.put_object(NS, BUCKET, name, body, if_none_match="*").headers
        except oci.exceptions.ServiceError as fault:
            _same(fault.code, "IfNoneMatchFailed")
            assert self.model.present(name)
            return
        assert not self.model.present(name)
        self.model.write(name, headers["version-id"], body, headers["etag"])

    @rule(name=_NAME, other=_NAME, body=_BODIES)
    def put_over_that_version(self, name: str, other: str, body: bytes) -> None:
        named, present = self.model.present(other), self.model.present(name)
        if named is None:
            return
        try:
            headers = self.storage.put_object(NS, BUCKET, name, body, if_match=named.etag).headers
        except oci.exceptions.ServiceError as fault:
            _same(fault.code, "IfMatchFailed")
            assert present is None or present.etag != named.etag
            return
        assert present is not None
        assert present.etag == named.etag
        self.model.write(name, headers["version-id"], body, headers["etag"])

    @rule(name=_NAME, parts=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=4))
    def put_in_parts(self, name: str, parts: list[bytes]) -> None:
        upload = self.storage.create_multipart_upload(
            NS, BUCKET, sdk.CreateMultipartUploadDetails(object=name)
        ).data.upload_id
        chosen = []
        for number, part in enumerate(parts, 1):
            etag = self.storage.upload_part(NS, BUCKET, name, upload, number, part).headers["etag"]
            chosen.append(sdk.CommitMultipartUploadPartDetails(part_num=number, etag=etag))
        headers = self.storage.commit_multipart_upload(
            NS, BUCKET, name, upload, sdk.CommitMultipartUploadDetails(parts_to_commit=chosen)
        ).headers
        self.model.write(name, headers["version-id"], b"".join(parts), headers["etag"])

    @rule(name=_NAME)
    def delete(self, name: str) -> None:
        try:
            headers = self.storage.delete_object(NS, BUCKET, name).headers
        except oci.exceptions.ServiceError as fault:
            _same(fault.code, "ObjectNotFound")
            assert not self.model.present(name)
            return
        present = self.model.present(name)
        assert present is not None
        if self.model.versioning == "Disabled":
            self.model.remove(name, present.id)
            return
        assert headers["is-delete-marker"] == "true"
        self.model.write(name, headers["version-id"], None, "")

    @rule(name=_NAME, number=st.integers(0, 2))
    def delete_a_version(self, name: str, number: int) -> None:
        versions = self.model.objects.get(name, [])
        if number >= len(versions):
            return
        chosen = versions[number].id
        self.storage.delete_object(NS, BUCKET, name, version_id=chosen)
        self.model.remove(name, chosen)

    @rule(name=_NAME, new=_NAME)
    def rename(self, name: str, new: str) -> None:
        present = self.model.present(name)
        if present is None or name == new:
            return
        details = sdk.RenameObjectDetails(source_name=name, new_name=new)
        headers = self.storage.rename_object(NS, BUCKET, details).headers
        self.model.remove(name, present.id)
        self.model.write(new, present.id, present.body, headers["etag"])
        self.model.objects[new][-1].kept = present.kept

    @rule(name=_NAME, new=_NAME)
    def copy(self, name: str, new: str) -> None:
        present = self.model.present(name)
        if present is None:
            return
        details = sdk.CopyObjectDetails(
            source_object_name=name,
            destination_region="eu-frankfurt-1",
            destination_namespace=NS,
            destination_bucket=BUCKET,
            destination_object_name=new,
        )
        work = self.storage.copy_object(NS, BUCKET, details).headers["opc-work-request-id"]
        assert self.storage.get_work_request(work).data.status == "COMPLETED"
        headers = self.storage.head_object(NS, BUCKET, new).headers
        self.model.write(new, headers["version-id"], present.body, headers["etag"])

    @rule(name=_NAME, first=st.integers(0, 9), length=st.integers(1, 9))
    def get_a_range(self, name: str, first: int, length: int) -> None:
        present = self.model.present(name)
        if present is None:
            return
        body = present.body or b""
        asked = f"bytes={first}-{first + length - 1}"
        try:
            found = self.storage.get_object(NS, BUCKET, name, range=asked)
        except oci.exceptions.ServiceError as fault:
            _same(fault.status, 416)
            assert first >= len(body)
            return
        assert found.status == 206
        assert found.data.content == body[first : first + length]

    @rule(
        prefix=st.sampled_from(["", "a", "a/", "a/b", "b/", "x"]),
        delimiter=st.sampled_from(["/", ""]),
        start=st.one_of(st.just(""), _NAMES),
        after=st.one_of(st.just(""), st.just("a/"), _NAMES),
        end=st.one_of(st.just(""), _NAMES),
        limit=st.integers(1, 5),
    )
    def list_in_pages(
        self, prefix: str, delimiter: str, start: str, after: str, end: str, limit: int
    ) -> None:
        # Both together are refused.
        after = "" if start else after
        expected = self.model.listed(
            prefix=prefix, delimiter=delimiter, start=start, after=after, end=end
        )
        options = {"prefix": prefix, "delimiter": delimiter, "end": end}
        given: dict[str, Any] = {key: value for key, value in options.items() if value}
        found: list[tuple[str, str]] = []
        where: dict[str, str] = {"start": start} if start else {}
        if after:
            where = {"start_after": after}
        # More pages than this are a circle.
        for _ in range(100):
            page = self.storage.list_objects(NS, BUCKET, limit=limit, **where, **given).data
            entries = [("object", o.name) for o in page.objects]
            entries += [("prefix", name) for name in page.prefixes or ()]
            assert len(entries) <= limit
            found += entries
            if not page.next_start_with:
                break
            assert len(entries) == limit
            where = {"start": page.next_start_with}
        assert sorted(found) == sorted(expected)

    @rule(limit=st.integers(1, 4))
    def list_versions_in_pages(self, limit: int) -> None:
        found: list[tuple[str, str, bool]] = []
        page: str | None = None
        for _ in range(200):
            more = {"page": page} if page else {}
            answer = self.storage.list_object_versions(NS, BUCKET, limit=limit, **more)
            assert len(answer.data.items) <= limit
            found += [(v.name, v.version_id, bool(v.is_delete_marker)) for v in answer.data.items]
            page = answer.next_page
            if not page:
                break
        assert found == [
            (name, version.id, version.body is None)
            for name in sorted(self.model.objects)
            for version in reversed(self.model.objects[name])
        ]

    @invariant()
    def lists_show_what_there_is(self) -> None:
        for prefix in ("", "a/"):
            page = self.storage.list_objects(NS, BUCKET, delimiter="/", prefix=prefix).data
            entries = [("object", o.name) for o in page.objects]
            entries += [("prefix", name) for name in page.prefixes or ()]
            expected = self.model.listed(prefix=prefix, delimiter="/", start="", after="", end="")
            assert sorted(entries) == sorted(expected)
        items = self.storage.list_object_versions(NS, BUCKET).data.items
        assert [(v.name, v.version_id) for v in items] == [
            (name, version.id)
            for name in sorted(self.model.objects)
            for version in reversed(self.model.objects[name])
        ]

    def every_version_has_its_body(self) -> None:
        for name, versions in self.model.objects.items():
            present = self.model.present(name)
            if present is not None:
                got = self.storage.get_object(NS, BUCKET, name)
                assert (got.data.content, got.headers["etag"]) == (present.body, present.etag)
            for version in versions:
                if version.body is not None:
                    got = self.storage.get_object(NS, BUCKET, name, version_id=version.id)
                    assert got.data.content == version.body


ObjectStore.TestCase.settings = settings(
    max_examples=35,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestObjectStore = ObjectStore.TestCase
