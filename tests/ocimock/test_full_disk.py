"""No room on the disk: nothing of the call has happened, now or after a restart."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocimock import Settings
from ocimock.clock import Clock
from ocimock.cloud import Cloud
from ocimock.server.app import Application
from ocimock.store.state_file import StateFile
from ocimock.wire.body import IN_MEMORY, Body
from ocimock.wire.message import Request, Response

_URL = "http://127.0.0.1/n/ocimock/b"
_LARGE = os.urandom(IN_MEMORY + 1)


class Mock:
    """A mock with a state file, as the server has it, and a way to start it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state = StateFile(path)
        self.application = self._started()

    def restart(self) -> None:
        self.state.close()
        self.state = StateFile(self._path)
        self.application = self._started()

    def _started(self) -> Application:
        return Application(Cloud(clock=Clock(0), state=self.state), self.state)

    def ask(self, method: str, path: str = "", body: bytes | Body = b"") -> Response:
        sent = body
        if isinstance(body, bytes):
            spool = self.application.cloud.blobs.spool()
            spool.write(body)
            sent = spool.finish()
        return self.application.answer(Request.from_url(method, _URL + path, {}, sent))

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket, by name."""
        listed = json.loads(bytes(self.ask("GET", "/b/o").body))["objects"]
        names = [str(found["name"]) for found in listed]
        return {name: bytes(self.ask("GET", f"/b/o/{name}").body) for name in names}

    def files(self) -> int:
        # The traceback of a failure may hold on to its call until then.
        gc.collect()
        return len(list(self._path.with_name("s.bodies").iterdir()))


Broken = Callable[[sqlite3.Connection], tuple[str, str]]


def _no_page_left(db: sqlite3.Connection) -> tuple[str, str]:
    """SQLite's own answer to a full disk, in the middle of a call."""
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    return f"PRAGMA max_page_count={pages}", "PRAGMA max_page_count=1000000"


def _no_record(_db: sqlite3.Connection) -> tuple[str, str]:
    """A failure at the end of a call, when bodies and events are written already."""
    return (
        "CREATE TEMP TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'full'); END",
        "DROP TRIGGER full",
    )


@contextmanager
def _broken(mock: Mock, how: Broken) -> Iterator[None]:
    db: sqlite3.Connection = mock.state._db
    begin, end = how(db)
    db.execute(begin)
    yield
    db.execute(end)


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Mock]:
    found = Mock(tmp_path / "s")
    details = json.dumps({"name": "b", "compartmentId": Settings().compartment_id})
    assert found.ask("POST", body=details.encode()).status == 200
    for name, body in (("small", b"old"), ("large", _LARGE)):
        assert found.ask("PUT", f"/b/o/{name}", body).status == 200
    yield found
    found.state.close()


_OLD = {"small": b"old", "large": _LARGE}


@pytest.mark.parametrize("how", [_no_page_left, _no_record])
@pytest.mark.parametrize("name", ["small", "large", "another"])
def test_a_write_that_failed_has_not_happened(mock: Mock, how: Broken, name: str) -> None:
    with _broken(mock, how):
        answer = mock.ask("PUT", f"/b/o/{name}", os.urandom(IN_MEMORY // 2))
        assert answer.status == 500
        assert b"can't be written" in bytes(answer.body)
        assert mock.objects() == _OLD
    assert mock.ask("PUT", "/b/o/later", b"new").status == 200
    assert mock.objects() == {**_OLD, "later": b"new"}
    mock.restart()
    assert mock.objects() == {**_OLD, "later": b"new"}


def test_a_large_body_that_was_not_kept_leaves_no_file(mock: Mock) -> None:
    with _broken(mock, _no_record):
        assert mock.ask("PUT", "/b/o/large", os.urandom(IN_MEMORY + 2)).status == 500
    assert mock.files() == 1
    assert mock.objects() == _OLD
    assert mock.ask("DELETE", "/b/o/large").status == 204
    assert mock.ask("GET", "/b/o").status == 200
    assert mock.files() == 0


def test_an_answer_on_its_way_outlives_a_failure(mock: Mock) -> None:
    answer = mock.ask("GET", "/b/o/large")
    assert mock.ask("DELETE", "/b/o/large").status == 204
    with _broken(mock, _no_record):
        assert mock.ask("PUT", "/b/o/other", b"x").status == 500
    assert bytes(answer.body) == _LARGE


def test_what_was_to_happen_still_happens(mock: Mock) -> None:
    copy = {
        "sourceObjectName": "small",
        "destinationRegion": Settings().region,
        "destinationNamespace": "ocimock",
        "destinationBucket": "b",
        "destinationObjectName": "copy",
    }
    asked = mock.ask("POST", "/b/actions/copyObject", json.dumps(copy).encode())
    assert asked.status == 202
    with _broken(mock, _no_record):
        # Not even a read: the copy would be made first.
        assert mock.ask("GET", "/b/o/copy").status == 500
    assert bytes(mock.ask("GET", "/b/o/copy").body) == b"old"


def test_a_reset_that_failed_has_not_happened(mock: Mock) -> None:
    reset = Request.from_url("POST", "http://127.0.0.1/ocimock/reset")
    with _broken(mock, _no_record):
        assert mock.application.answer(reset).status == 500
    assert mock.objects() == _OLD
    mock.restart()
    assert mock.objects() == _OLD
    assert mock.application.answer(reset).status == 204
    assert mock.ask("GET", "/b/o").status == 404
    mock.restart()
    assert mock.ask("GET", "/b/o").status == 404


def test_a_body_for_which_there_is_no_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    application = Application(Cloud())
    monkeypatch.setattr(application.cloud.blobs, "folder", full)
    connection = SimpleNamespace(is_closing=lambda: False)
    scope = {"type": "http", "method": "PUT", "ocimock.connection": connection}
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": _LARGE, "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 500
    answer = json.loads(sent[1]["body"])
    assert answer["code"] == "InternalServerError"
    assert "No space left" in answer["message"]
