"""Large objects and artifacts go through the server with flat memory."""

from __future__ import annotations

import functools
import hashlib
import io
import re
from pathlib import Path
from typing import Any

import oci
import pytest
import requests
from oci.object_storage import UploadManager

from ocimock import Settings
from ocimock.server.announcement import ServerFile
from tests.servers import running_server

NS, BUCKET = "ocimock", "b"
MIB = 1024 * 1024
SIZE = 128 * MIB
# What a server may need beside the body: a few pieces of it on their way.
_ALLOWED = 48 * MIB


class Pattern(io.RawIOBase):
    """A file of *size* bytes that is nowhere: each MiB of it is another one."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._number = 0
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = min(self._left, MIB if size < 0 else size)
        self._left -= count
        self._number += 1
        data = (self._number.to_bytes(8) * (count // 8 + 1))[:count]
        self.hash.update(data)
        return data


def _peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if found is None:
        pytest.skip("this machine does not tell the peak of a process's memory")
    return int(found[1]) * 1024


def _digest(response: Any) -> str:
    found = hashlib.sha256()
    for piece in response.data.raw.stream(MIB, decode_content=False):
        found.update(piece)
    return found.hexdigest()


@pytest.fixture(params=["memory", "state"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    options = ["--state", str(tmp_path / "state.db")] if request.param == "state" else []
    with running_server(tmp_path / "home", "--pace", "0", *options) as server:
        yield server


@pytest.fixture
def storage(served: ServerFile) -> Any:
    config = oci.config.from_file(served.environment["OCI_CONFIG_FILE"])
    found = oci.object_storage.ObjectStorageClient(config, service_endpoint=served.url)
    found.create_bucket(
        NS,
        oci.object_storage.models.CreateBucketDetails(
            name=BUCKET, compartment_id=Settings().compartment_id
        ),
    )
    found.put_object(NS, BUCKET, "warm", b"x" * 4 * MIB)
    found.get_object(NS, BUCKET, "warm")
    return found


def test_a_large_object_goes_in_and_out(served: ServerFile, storage: Any) -> None:
    before = _peak(served.pid)
    source = Pattern(SIZE)
    storage.put_object(NS, BUCKET, "o", source, content_length=SIZE)
    found = storage.get_object(NS, BUCKET, "o")
    assert _digest(found) == source.hash.hexdigest()
    assert _peak(served.pid) - before < _ALLOWED


def test_a_large_upload_in_parts_goes_in_and_out(
    served: ServerFile, storage: Any, tmp_path: Path
) -> None:
    source = Pattern(SIZE + 5)
    whole = tmp_path / "whole"
    with whole.open("wb") as file:
        while piece := source.read(MIB):
            file.write(piece)
    before = _peak(served.pid)
    manager = UploadManager(storage, allow_parallel_uploads=False)
    manager.upload_file(NS, BUCKET, "o", str(whole), part_size=32 * MIB)
    assert storage.head_object(NS, BUCKET, "o").headers["opc-multipart-md5"].endswith("-5")
    found = storage.get_object(NS, BUCKET, "o")
    assert _digest(found) == source.hash.hexdigest()
    assert _peak(served.pid) - before < _ALLOWED


def _make(served: ServerFile, path: str, details: dict[str, Any]) -> str:
    answer = requests.post(f"{served.url}/20190101/{path}", json=details, timeout=10)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def test_a_large_artifact_that_may_be_sent_again_goes_in_and_out(
    served: ServerFile, storage: Any
) -> None:
    del storage  # warm
    compartment = Settings().compartment_id
    project = _make(served, "projects", {"compartmentId": compartment})
    job = {
        "compartmentId": compartment,
        "projectId": project,
        "jobConfigurationDetails": {"jobType": "DEFAULT"},
        "jobInfrastructureConfigurationDetails": {
            "jobInfrastructureType": "ME_STANDALONE",
            "shapeName": "VM.Standard2.1",
            "blockStorageSizeInGBs": 50,
        },
    }
    url = f"{served.url}/20190101/jobs/{_make(served, 'jobs', job)}/artifact"
    token = {"opc-retry-token": "one", "content-disposition": "attachment; filename=a.zip"}
    before = _peak(served.pid)
    for _ in range(2):
        source = Pattern(SIZE)
        pieces = iter(functools.partial(source.read, MIB), b"")
        assert requests.post(url, data=pieces, headers=token, timeout=60).status_code == 204
    found = hashlib.sha256()
    with requests.get(f"{url}/content", stream=True, timeout=60) as answer:
        for piece in answer.iter_content(MIB):
            found.update(piece)
    assert found.hexdigest() == source.hash.hexdigest()
    assert _peak(served.pid) - before < _ALLOWED
