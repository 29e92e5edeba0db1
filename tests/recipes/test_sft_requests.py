"""recipes.sft is asked to stop by an object in its checkpoints' folder: it saves one and ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from jobs.recipes.buckets import BucketError
from jobs.recipes.sft import requests
from jobs.recipes.sft.requests import Requests, run_ocid
from jobs.recipes.sft.stores import Folder
from tests.recipes import tiny
from tests.recipes.ranks import Run

RUN = "ocid1.datasciencejobrun.oc1.eu-frankfurt-1.aaaa"
LIMIT = 30.0  # seconds after which a test counts as hanging


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder, train=48, validation=8)
    return folder


def _arguments(made: Path, place: Path, steps: int) -> list[str]:
    return [
        *("--model", str(made / "base"), "--data", str(made / "data"), "--scratch", str(made)),
        *("--output", str(place / "out"), "--checkpoints", str(place / "checkpoints")),
        *("--max-steps", str(steps), "--checkpoint-every", "0", "--max-length", "160"),
        *("--batch-size", "2", "--log-every", "1", "--samples", "0"),
    ]


def _ask(folder: Path, run: str, content: str) -> Path:
    request = folder / "stop" / run
    request.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{run}.part"  # an object appears whole
    unfinished.write_text(content)
    unfinished.replace(request)
    return request


def test_all_ranks_stop_with_a_checkpoint_and_say_who_asked(made: Path, tmp_path: Path) -> None:
    request = _ask(tmp_path / "checkpoints", RUN, '{"by": "maximum runtime"}')
    stopped = Run([_arguments(made, tmp_path, 100_000)] * 2, tmp_path / "log", ocid=RUN).ended()
    assert stopped.codes == (75, 75), stopped.errors
    saved = stopped.events("checkpoint")[-1]["step"]
    assert f"sft: told to stop (maximum runtime); did {saved} steps; saved " in stopped.errors[0]
    assert (tmp_path / "checkpoints" / f"step-{saved:08}" / "checkpoint.json").is_file()
    assert not request.exists(), "the request is followed: it can go"

    # The next run has another OCID. What was asked of others, even now, does not stop it.
    stale = _ask(tmp_path / "checkpoints", RUN, '{"by": "maximum runtime"}')
    argument = _arguments(made, tmp_path, 100_000)
    going = Run([argument] * 2, tmp_path / "again", ocid=f"{RUN}b")
    while '"step": ' + str(saved + 3) not in (tmp_path / "again" / "0.out").read_text():
        assert all(process.is_alive() for process in going.processes)
        going.processes[0].join(0.05)
    for process in going.processes:
        process.terminate()
    again = going.ended()
    assert again.codes == (75, 75), again.errors
    assert [event["step"] for event in again.events("resumed")] == [saved]
    assert "sft: told to stop; did " in again.errors[0]
    assert stale.exists()


@pytest.mark.parametrize(
    ("content", "by"),
    [
        ('{"by": "asked by a person"}', "asked by a person"),
        ("", "a request"),
        ("[]", "a request"),
        ('{"by": "x); did 9 steps; saved ("}', "a request"),
        ('{"by": "two\\nlines"}', "a request"),
    ],
)
def test_a_request_that_comes_later_is_heard(tmp_path: Path, content: str, by: str) -> None:
    heard: list[str] = []
    looked, told = threading.Event(), threading.Event()

    class Watched(Folder):
        def read(self, name: str) -> bytes | None:
            found = super().read(name)
            looked.set()
            return found

    def hear(words: str) -> None:
        heard.append(words)
        told.set()

    listening = Requests(Watched(tmp_path), RUN, hear, every=0.01)
    assert looked.wait(LIMIT)
    assert heard == []
    request = _ask(tmp_path, RUN, content)
    assert told.wait(LIMIT)
    listening.answer()
    assert heard == [by]
    assert not request.exists()


def test_a_bucket_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    told = threading.Event()

    class Failing(Folder):
        tries = 0

        def read(self, name: str) -> bytes | None:
            Failing.tries += 1
            if Failing.tries < 3:
                raise BucketError("503")
            return super().read(name)

    _ask(tmp_path, RUN, "{}")
    Requests(Failing(tmp_path), RUN, lambda by: told.set(), every=0.01)
    assert told.wait(LIMIT)
    assert Failing.tries == 3


def test_whose_run_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOB_RUN_OCID", "MAIN_JOB_RUN_OCID"):
        monkeypatch.delenv(name, raising=False)
    assert run_ocid() == ""
    monkeypatch.setenv("JOB_RUN_OCID", "own")
    assert run_ocid() == "own"
    monkeypatch.setenv("MAIN_JOB_RUN_OCID", "main")
    assert run_ocid() == "main", "each node is a run of its own: the first is the one that is known"


def test_who_has_closed_knows_whether_a_look_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends beside a thread in a call is aborted: a run that was well has failed."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.1)
    looking, answer = threading.Event(), threading.Event()

    class Silent(Folder):
        def read(self, name: str) -> bytes | None:
            looking.set()
            assert answer.wait(LIMIT)
            return None

    listening = Requests(Silent(tmp_path), RUN, lambda by: None, every=LIMIT)
    assert looking.wait(LIMIT)
    assert not listening.close()
    answer.set()
    monkeypatch.setattr(requests, "_PATIENCE", LIMIT)
    assert listening.close()
