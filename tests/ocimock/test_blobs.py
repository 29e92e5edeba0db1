"""Bodies of a mock without a state file: where they lie, and how long."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import tempfile
import threading
from typing import Any

import pytest

from ocimock import Settings
from ocimock.cloud import Cloud
from ocimock.server.app import Application
from ocimock.store import Blobs
from ocimock.wire.body import IN_MEMORY, Body
from ocimock.wire.message import Request, Response

_BUCKET = "http://127.0.0.1/n/ocimock/b"
_LARGE = os.urandom(IN_MEMORY + 1)


def _ask(application: Application, method: str, path: str, body: Body | bytes = b"") -> Response:
    answer = application.answer(Request.from_url(method, _BUCKET + path, {}, body))
    assert answer.status == 200, bytes(answer.body)
    return answer


def test_a_reset_leaves_bodies_on_their_way_alone() -> None:
    application = Application(Cloud())
    bucket = json.dumps({"name": "b", "compartmentId": Settings().compartment_id}).encode()
    _ask(application, "POST", "", bucket)
    _ask(application, "PUT", "/b/o/before", _spooled(application))
    going_out = _ask(application, "GET", "/b/o/before").body
    coming_in = application.cloud.blobs.spool()
    coming_in.write(_LARGE)
    application.reset()
    gc.collect()
    assert application.cloud.blobs.count() == 0
    _ask(application, "POST", "", bucket)
    _ask(application, "PUT", "/b/o/after", coming_in.finish())
    del coming_in
    gc.collect()
    assert bytes(_ask(application, "GET", "/b/o/after").body) == _LARGE
    assert bytes(going_out) == _LARGE


def _spooled(application: Application) -> Body:
    spool = application.cloud.blobs.spool()
    spool.write(_LARGE)
    return spool.finish()


def test_uploads_that_begin_together_share_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second folder would take the first one, and the bodies in it, away."""
    make, others = tempfile.TemporaryDirectory, threading.Barrier(2)

    def slowly(**options: Any) -> Any:
        # Until the other thread is here as well, should it come.
        with contextlib.suppress(threading.BrokenBarrierError):
            others.wait(timeout=0.2)
        return make(**options)

    monkeypatch.setattr(tempfile, "TemporaryDirectory", slowly)
    blobs, found = Blobs(), []
    threads = [threading.Thread(target=lambda: found.append(blobs.folder())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert found[0].is_dir()


def test_a_forked_child_takes_no_file_away() -> None:
    blobs = Blobs()
    spool = blobs.spool()
    spool.write(_LARGE)
    key = blobs.put(spool.finish())
    del spool
    child = os.fork()
    if child == 0:
        blobs.drop(key)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert bytes(blobs.get(key)) == _LARGE
