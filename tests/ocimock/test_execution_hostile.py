"""What runs may leave behind, and artifacts may be: nothing of it leads out, or fells the mock."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocimock.cloud import Cloud
from ocimock.execute.specs import Cause, End
from ocimock.iam.tokens import is_gone
from ocimock.server.announcement import ServerFile
from ocimock.server.relaying import pass_on
from ocimock.services.datascience.run_files import make_home
from ocimock.services.datascience.run_inbox import Ended, Inbox, Line
from ocimock.services.datascience.run_plan import CannotRun
from ocimock.services.datascience.shared_folder import SharedFolder
from ocimock.wire.body import Body
from ocimock.wire.message import Relay, Response
from tests.ocimock.executing import Bench, bench_at, executing_server, zipped
from tests.ocimock.workbench import NS, M


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with executing_server(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def bench(server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        yield found


def _mounting(bench: Bench, script: str) -> Any:
    mount = M.ObjectStorageMountConfigurationDetails(
        namespace=NS, bucket=bench.work.bucket, destination_directory_name="outputs"
    )
    return bench.work.run(
        bench.job(
            "import os, pathlib, time; out = pathlib.Path(os.environ['OUT'])\n" + script,
            # Where nodes are not kept apart it is translated.
            variables={"OUT": "/mnt/outputs"},
            job_storage_mount_configuration_details_list=[mount],
        )
    )


def _names(bench: Bench) -> list[str]:
    found = bench.work.storage.list_objects(NS, bench.work.bucket).data.objects
    return [item.name for item in found]


def test_a_link_in_a_mount_leads_the_mock_to_nothing_of_the_host(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("of the host")
    (tmp_path / "folder").mkdir()
    script = f"""
os.symlink({str(tmp_path / "key")!r}, out / 'key')
os.symlink({str(tmp_path / "folder")!r}, out / 'below')
print('linked')
while not (out / 'go').exists():
    time.sleep(0.05)
"""
    run = bench.until_line(_mounting(bench, script), "linked")
    for name in ("below/file", "key", "go"):
        bench.work.storage.put_object(NS, bench.work.bucket, name, name.encode())
    assert bench.ended(run).lifecycle_state == "SUCCEEDED"
    assert (tmp_path / "key").read_text() == "of the host"
    assert list((tmp_path / "folder").iterdir()) == []
    stored = bench.work.storage.get_object(NS, bench.work.bucket, "key").data.content
    assert stored == b"key", "the file of the host is no object"
    said = " ".join(bench.own_lines(run))
    assert "key is no plain file" in said
    assert "object below/file can't be shown as a file" in said


def test_a_file_that_no_object_can_be_is_told_and_the_rest_is_kept(bench: Bench) -> None:
    bench.work.storage.put_object(NS, bench.work.bucket, "l" * 300, b"too long for a file")
    run = bench.ended(
        _mounting(
            bench,
            "open(bytes(out) + b'/bad\\xff', 'w').close(); os.mkfifo(out / 'pipe')\n"
            "(out / 'good').write_text('kept')",
        )
    )
    assert run.lifecycle_state == "SUCCEEDED"
    assert _names(bench) == ["good", "l" * 300]
    said = " ".join(bench.own_lines(run))
    for words in (
        "bad\\udcff is no UTF-8",
        "pipe is no plain file",
        "lll can't be shown as a file",
    ):
        assert words in said


@pytest.mark.parametrize("swap", ["link", "pipe"])
def test_what_takes_the_place_of_a_file_is_not_read(tmp_path: Path, swap: str) -> None:
    folder = SharedFolder(tmp_path / "shared")
    (tmp_path / "secret").write_text("of the host")
    place = folder.path / "file"
    place.symlink_to(tmp_path / "secret") if swap == "link" else os.mkfifo(place)
    with pytest.raises(OSError), folder.reading("file"):
        raise AssertionError("it was opened")
    assert folder.look("file") is None


def _encrypted() -> bytes:
    made = bytearray(zipped({"a.py": "print(1)"}))
    for start in (6, made.find(b"PK\x01\x02") + 8):
        made[start] |= 1  # the flag that says so, in both of its headers
    return bytes(made)


def _garbled() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "print(1)\n" * 1000)
    body = bytearray(made.getvalue())
    body[34:38] = b"\xff\xff\xff\xff"
    return bytes(body)


@pytest.mark.parametrize(
    ("name", "artifact", "said"),
    [
        ("a.zip", zipped({"a.py": "", "b": "a file", "b/c": "below it"}), "Not a directory"),
        ("a.zip", zipped({"a.py": "", "l" * 300: ""}), "File name too long"),
        ("a.zip", _encrypted(), "encrypted"),
        ("a.zip", _garbled(), "decompressing"),
        ("..", b"print(1)", "artifact '..' can't be put into the node's home"),
    ],
)
def test_an_artifact_that_is_broken_is_the_reason_not_a_fault_of_the_mock(
    bench: Bench, name: str, artifact: bytes, said: str
) -> None:
    run = bench.run(bench.job(artifact, name, {"JOB_RUN_ENTRYPOINT": "a.py"}))
    assert run.lifecycle_state == "FAILED"
    assert "Job run bootstrap failure: artifact" in run.lifecycle_details
    assert said in run.lifecycle_details


def _tar_of_zeros(size: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo("zeros")
        member.size = size
        archive.addfile(member, io.BytesIO(bytes(size)))
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "artifact"),
    [("a.zip", zipped({"zeros": "0" * 1001})), ("a.tar", _tar_of_zeros(1001))],
)
def test_an_archive_that_holds_more_than_the_node_may_write_is_not_unpacked(
    tmp_path: Path, name: str, artifact: bytes
) -> None:
    said = rf"artifact {name} holds 1\.0 KB, and the node may write 1\.0 KB"
    with pytest.raises(CannotRun, match=said):
        make_home(tmp_path, name, Body.of(artifact), {}, 1000)
    assert not list(tmp_path.glob("*/zeros"))


@pytest.mark.parametrize("state", ["INACTIVE", "FAILED"])
def test_the_token_of_a_deployment_without_a_server_is_worth_nothing(state: str) -> None:
    cloud, name = Cloud(), "ocid1.datasciencemodeldeployment.oc1.fra.one"
    data = {"lifecycleState": "ACTIVE"}
    found = cloud.store.add(name.split(".")[1], name, data, private={"executed": True})
    assert not is_gone(cloud, name)
    found.data["lifecycleState"] = state
    assert is_gone(cloud, name)


def test_lines_gather_longer_when_they_take_long_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    at = "ocimock.services.datascience.run_inbox.time"
    monkeypatch.setattr(f"{at}.monotonic", lambda: now[0])
    monkeypatch.setattr(f"{at}.sleep", sleep)
    inbox = Inbox()

    def gathered(*heard: Line | Ended) -> float:
        slept.clear()
        assert inbox.gather(list(heard)) == list(heard)
        return sum(slept)

    before = gathered(Line(0, "a"))
    with inbox.writing():
        now[0] += 0.04
    after = gathered(Line(0, "b"))
    assert after > 4 * before
    assert gathered(Line(0, "c"), Ended(0, End(Cause.EXITED, 0))) == 0, "an end waits for nothing"
    for number in range(2_000):
        inbox.line(0, str(number))
    slept.clear()
    assert len(inbox.gather([])) == 2_000
    assert slept == [], "many lines wait for no more"


class _Source:
    """An answer whose end can't be written down."""

    def open(self) -> Response:
        return Response(200, {})

    def pieces(self) -> Iterator[bytes]:
        yield b"all of it"

    def abort(self) -> None:
        pass

    def close(self) -> None:
        raise RuntimeError("the disk is full")


def test_a_client_does_not_wait_where_the_end_of_its_answer_fails() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def passing() -> bool:
        return await asyncio.wait_for(pass_on(Relay(200, source=_Source()), receive, send), 20)

    assert asyncio.run(passing()) is False
    assert sent[1]["body"] == b"all of it"
