"""``serve --state FILE``: what was acknowledged is there after a ``kill -9``."""

from __future__ import annotations

import gc
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import oci
import pytest

from ocimock import Settings
from ocimock.clock import Clock
from ocimock.cloud import Cloud
from ocimock.dispatch import dispatch
from ocimock.server.announcement import ServerFile
from ocimock.store.state_file import StateFile, StateFileError
from ocimock.wire.body import IN_MEMORY, Body
from ocimock.wire.message import Request
from tests.servers import running_server, started_server

NS = "ocimock"
_COMPARTMENT = Settings().compartment_id


@contextmanager
def killed_server(home: Path, state: Path) -> Iterator[ServerFile]:
    """A server that ends by ``kill -9``."""
    process, found = started_server(home, "--pace", "0", "--state", str(state))
    try:
        yield found
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def _client(server: ServerFile, sdk_class: Any) -> Any:
    config = oci.config.from_file(server.environment["OCI_CONFIG_FILE"])
    strategy = oci.retry.NoneRetryStrategy()
    return sdk_class(config, service_endpoint=server.url, retry_strategy=strategy)


@pytest.fixture
def restart(tmp_path: Path) -> Callable[[], Any]:
    """A server on the same home and state file, each time anew."""
    return lambda: killed_server(tmp_path / "home", tmp_path / "kept" / "state.db")


def test_what_was_acknowledged_is_there_after_a_kill(restart: Callable[[], Any]) -> None:
    large = os.urandom(3 * IN_MEMORY + 5)
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        network = _client(server, oci.core.VirtualNetworkClient)
        details = oci.object_storage.models.CreateBucketDetails(
            name="b", compartment_id=_COMPARTMENT
        )
        storage.create_bucket(NS, details)
        storage.put_object(NS, "b", "small", b"small body")
        storage.put_object(NS, "b", "large", large)
        storage.put_object(NS, "b", "gone", b"x" * (2 * IN_MEMORY))
        storage.put_object(NS, "b", "gone too", b"y")
        storage.delete_object(NS, "b", "gone")
        storage.delete_object(NS, "b", "gone too")
        created = network.create_vcn(
            oci.core.models.CreateVcnDetails(
                compartment_id=_COMPARTMENT, cidr_blocks=["10.0.0.0/16"]
            ),
            opc_retry_token="once",
        ).data
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        network = _client(server, oci.core.VirtualNetworkClient)
        names = [found.name for found in storage.list_objects(NS, "b").data.objects]
        assert names == ["large", "small"]
        assert storage.get_object(NS, "b", "small").data.content == b"small body"
        assert storage.get_object(NS, "b", "large").data.content == large
        again = network.create_vcn(
            oci.core.models.CreateVcnDetails(
                compartment_id=_COMPARTMENT, cidr_blocks=["10.0.0.0/16"]
            ),
            opc_retry_token="once",
        ).data
        assert again.id == created.id
        other = network.create_vcn(
            oci.core.models.CreateVcnDetails(
                compartment_id=_COMPARTMENT, cidr_blocks=["10.1.0.0/16"]
            )
        ).data
        assert other.id != created.id
        assert len(network.list_vcns(_COMPARTMENT).data) == 2


def test_another_homes_key_is_trusted_with_an_old_state(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    for home in ("first", "second"):
        options = ("--state", str(state), "--verify-signatures")
        with running_server(tmp_path / home, *options) as server:
            storage = _client(server, oci.object_storage.ObjectStorageClient)
            assert storage.get_namespace().data == NS


def test_a_reset_empties_the_file_too(restart: Callable[[], Any]) -> None:
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        details = oci.object_storage.models.CreateBucketDetails(
            name="b", compartment_id=_COMPARTMENT
        )
        storage.create_bucket(NS, details)
        storage.put_object(NS, "b", "o", b"x" * (2 * IN_MEMORY))
        oci._vendor.requests.post(f"{server.url}/ocimock/reset", timeout=10).raise_for_status()
        storage.create_bucket(NS, details)
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        assert storage.list_objects(NS, "b").data.objects == []


def test_an_upload_in_parts_goes_on_after_a_kill(restart: Callable[[], Any]) -> None:
    parts = [os.urandom(2 * IN_MEMORY), b"a small last part"]
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        storage.create_bucket(
            NS, oci.object_storage.models.CreateBucketDetails(name="b", compartment_id=_COMPARTMENT)
        )
        upload = storage.create_multipart_upload(
            NS, "b", oci.object_storage.models.CreateMultipartUploadDetails(object="whole")
        ).data.upload_id
        first = storage.upload_part(NS, "b", "whole", upload, 1, parts[0]).headers["etag"]
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        second = storage.upload_part(NS, "b", "whole", upload, 2, parts[1]).headers["etag"]
        chosen = [
            oci.object_storage.models.CommitMultipartUploadPartDetails(part_num=number, etag=etag)
            for number, etag in ((1, first), (2, second))
        ]
        storage.commit_multipart_upload(
            NS,
            "b",
            "whole",
            upload,
            oci.object_storage.models.CommitMultipartUploadDetails(parts_to_commit=chosen),
        )
    with restart() as server:
        storage = _client(server, oci.object_storage.ObjectStorageClient)
        assert storage.get_object(NS, "b", "whole").data.content == b"".join(parts)
        piece = storage.get_object(NS, "b", "whole", range=f"bytes={2 * IN_MEMORY - 2}-").data
        assert piece.content == parts[0][-2:] + parts[1]


class _Now:
    seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def _mock(path: Path, now: _Now) -> tuple[Cloud, StateFile]:
    state = StateFile(path)
    return Cloud(clock=Clock(1.0, source=now), state=state), state


def test_what_was_to_happen_happens_after_a_restart(tmp_path: Path) -> None:
    now = _Now()
    cloud, state = _mock(tmp_path / "s", now)
    with cloud.transaction():
        cloud.clock.advance(100)
        record = cloud.store.add("vcn", "ocid1.vcn.oc1.iad.a", {"lifecycleState": "PROVISIONING"})
        cloud.clock.schedule(5, "resource.active", f"vcn/{record.id}")
    state.close()
    cloud, state = _mock(tmp_path / "s", now)
    cloud.run_due_events()
    found = cloud.store.find("vcn", record.id)
    assert found is not None
    assert found.data["lifecycleState"] == "PROVISIONING"
    assert cloud.clock.now() == now.seconds + 100
    now.seconds += 6
    cloud.run_due_events()
    state.close()
    cloud, state = _mock(tmp_path / "s", now)
    found = cloud.store.find("vcn", record.id)
    assert found is not None
    assert found.data["lifecycleState"] == "AVAILABLE"
    assert not cloud.clock.is_due()
    state.close()


def _add_and_fail(cloud: Cloud) -> None:
    with cloud.transaction():
        cloud.store.add("vcn", "v", {})
        raise KeyError


def test_a_block_that_fails_is_kept_as_memory_has_it(tmp_path: Path) -> None:
    now = _Now()
    cloud, state = _mock(tmp_path / "s", now)
    with pytest.raises(KeyError):
        _add_and_fail(cloud)
    state.close()
    cloud, state = _mock(tmp_path / "s", now)
    assert cloud.store.find("vcn", "v") is not None
    state.close()


def test_shared_bodies_outlive_each_other(tmp_path: Path) -> None:
    now = _Now()
    cloud, state = _mock(tmp_path / "s", now)
    large = os.urandom(IN_MEMORY + 1)
    with cloud.transaction():
        keys = [cloud.blobs.put(body) for body in (b"small", large)]
        shared = [cloud.blobs.put(cloud.blobs.get(key)) for key in keys]
        joined = cloud.blobs.put(Body.joined([cloud.blobs.get(key) for key in keys]))
    with cloud.transaction():
        for key in keys:
            cloud.blobs.drop(key)
    state.close()
    cloud, state = _mock(tmp_path / "s", now)
    assert [bytes(cloud.blobs.get(key)) for key in shared] == [b"small", large]
    assert bytes(cloud.blobs.get(joined)) == b"small" + large
    with cloud.transaction():
        for key in (*shared, joined):
            cloud.blobs.drop(key)
    with cloud.transaction():
        pass
    assert list((tmp_path / "s.bodies").iterdir()) == []
    state.close()
    with sqlite3.connect(tmp_path / "s") as db:
        assert db.execute("SELECT count(*) FROM segments").fetchone() == (0,)


def test_an_answer_on_its_way_keeps_its_body(tmp_path: Path) -> None:
    cloud, state = _mock(tmp_path / "s", _Now())
    large = os.urandom(IN_MEMORY + 1)
    with cloud.transaction():
        keys = [cloud.blobs.put(body) for body in (b"small", large)]
    held = [cloud.blobs.get(key) for key in keys]
    with cloud.transaction():
        for key in keys:
            cloud.blobs.drop(key)
    assert [body.open().read() for body in held] == [b"small", large]
    state.close()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    cloud, state = _mock(tmp_path / "s", _Now())
    with cloud.transaction():
        kept = cloud.blobs.put(os.urandom(IN_MEMORY + 1))
    spool = cloud.blobs.spool()
    spool.write(b"z" * (IN_MEMORY + 1))
    half = spool.finish()
    state.close()
    assert len(list((tmp_path / "s.bodies").iterdir())) == 2
    cloud, state = _mock(tmp_path / "s", _Now())
    assert cloud.blobs.get(kept).size == IN_MEMORY + 1
    assert len(list((tmp_path / "s.bodies").iterdir())) == 1
    state.close()
    assert half.size == IN_MEMORY + 1


def test_each_part_of_an_upload_is_written_once(tmp_path: Path) -> None:
    """A record that grew with each part would be written as often as there are parts."""
    cloud, state = _mock(tmp_path / "s", _Now())

    def ask(method: str, path: str, body: bytes) -> bytes:
        url = f"http://127.0.0.1/n/ocimock/b{path}"
        answer = dispatch(cloud, Request.from_url(method, url, {}, body))
        assert answer.status == 200, bytes(answer.body)
        return bytes(answer.body)

    ask("POST", "", json.dumps({"name": "b", "compartmentId": _COMPARTMENT}).encode())
    upload = json.loads(ask("POST", "/b/u", b'{"object": "o"}'))["uploadId"]
    for number in range(1, 101):
        ask("PUT", f"/b/u/o?uploadId={upload}&uploadPartNum={number}", b"x")
    state.close()
    with sqlite3.connect(tmp_path / "s") as db:
        found = db.execute("SELECT max(length(content)) FROM records WHERE kind LIKE '%upload%'")
        assert found.fetchone()[0] < 1000
    db.close()


def test_bodies_stay_when_their_mock_goes(tmp_path: Path) -> None:
    cloud, state = _mock(tmp_path / "s", _Now())
    large = os.urandom(IN_MEMORY + 1)
    with cloud.transaction():
        key = cloud.blobs.put(large)
    state.close()
    del cloud, state
    gc.collect()
    cloud, state = _mock(tmp_path / "s", _Now())
    assert bytes(cloud.blobs.get(key)) == large
    state.close()


def test_a_file_moves_with_its_folder_of_bodies(tmp_path: Path) -> None:
    cloud, state = _mock(tmp_path / "s", _Now())
    large = os.urandom(IN_MEMORY + 1)
    with cloud.transaction():
        key = cloud.blobs.put(large)
    state.close()
    (tmp_path / "s").rename(tmp_path / "t")
    state = StateFile(tmp_path / "t")
    with pytest.raises(StateFileError, match=r"1 of the bodies .* named t\.bodies beside it"):
        Cloud(state=state)
    state.close()
    (tmp_path / "s.bodies").rename(tmp_path / "t.bodies")
    cloud, state = _mock(tmp_path / "t", _Now())
    assert bytes(cloud.blobs.get(key)) == large
    state.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"not a database, but long enough to be one" * 30, "no state file", id="text"),
        pytest.param(None, "can't be used", id="folder"),
    ],
)
def test_a_file_that_is_no_state_file_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "s"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StateFileError, match=words):
        StateFile(path)
    if content is not None:
        assert path.read_bytes() == content


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    cloud, state = _mock(tmp_path / "s", _Now())
    with cloud.transaction():
        for number in range(1000):
            cloud.store.add("vcn", f"v{number}", {"displayName": "x" * 100})
    state.close()
    content = bytearray((tmp_path / "s").read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    (tmp_path / "s").write_bytes(content)
    state = StateFile(tmp_path / "s")
    with pytest.raises(StateFileError, match="malformed"):
        Cloud(state=state)
    state.close()


def test_another_databases_file_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s") as db:
        db.execute("CREATE TABLE other (x)")
    db.close()
    with pytest.raises(StateFileError, match="no state file of this version"):
        StateFile(tmp_path / "s")


def test_another_tenancys_file_is_refused(tmp_path: Path) -> None:
    _, state = _mock(tmp_path / "s", _Now())
    state.close()
    state = StateFile(tmp_path / "s")
    with pytest.raises(StateFileError, match="another"):
        Cloud(Settings(namespace="elsewhere"), state=state)
    state.close()


def test_a_second_server_on_the_same_file_says_so(
    restart: Callable[[], Any], tmp_path: Path
) -> None:
    with restart():
        command = [sys.executable, "-m", "ocimock", "serve", "--home", str(tmp_path / "second")]
        second = subprocess.run(
            [*command, "--state", str(tmp_path / "kept" / "state.db")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert "is in use by another ocimock" in second.stderr
    assert "Traceback" not in second.stderr


def test_large_bodies_lie_in_files_not_in_memory() -> None:
    cloud = Cloud()
    spool = cloud.blobs.spool()
    chunk = os.urandom(64 * 1024)
    for _ in range(IN_MEMORY // len(chunk) + 1):
        spool.write(chunk)
    body = spool.finish()
    assert len(list(cloud.blobs.folder().iterdir())) == 1
    key = cloud.blobs.put(body)
    assert body.open().read(5) == chunk[:5]
    del body
    assert len(list(cloud.blobs.folder().iterdir())) == 1
    cloud.blobs.drop(key)
    assert list(cloud.blobs.folder().iterdir()) == []
