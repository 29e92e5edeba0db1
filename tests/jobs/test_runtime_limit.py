"""The maximum runtime: a training is asked to stop with a checkpoint before OCI ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from jobs.auth import sign_in
from jobs.errors import RecordError, RefusedError
from jobs.recipes.sft import requests
from jobs.runtime_limit import FOLDER, RuntimeLimit, ask_to_stop, margin, maximum_minutes
from ocimock import mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import START, definition, entry
from tests.jobs.workbench import BUCKET

RUN = "ocid1.datasciencejobrun.x"
SFT = definition(
    "finetune",
    **{"--enable_fsdp": "--checkpoints oci://demo-bucket@ocimock/checkpoints/llama2-13b/"},
)
PLAIN = definition("finetune")
# 720 minutes: it is asked 20 minutes before.
ASKED = START + timedelta(minutes=700)
OVER = START + timedelta(minutes=726)
RUNNING = entry("finetune", "IN_PROGRESS", started=START)


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as mocked:
        workbench.build(mocked)
        sign_in()
        yield mocked


def _requests(cloud: MockedCloud) -> dict[str, str]:
    client = workbench.storage(cloud)
    names = [each.name for each in client.list_objects("ocimock", BUCKET).data.objects]
    return {name: client.get_object("ocimock", BUCKET, name).data.text for name in names}


def test_the_request_lies_where_the_training_looks(cloud: MockedCloud) -> None:
    assert requests.FOLDER == FOLDER
    uri = ask_to_stop(RUNNING, SFT)
    name = f"checkpoints/llama2-13b/stop/{RUN}"
    assert uri == f"oci://{BUCKET}@ocimock/{name}"
    ask_to_stop(RUNNING, SFT)
    assert {name: json.loads(text) for name, text in _requests(cloud).items()} == {
        name: {"by": "asked by a person"}
    }


def test_what_keeps_no_checkpoints_cannot_be_asked(cloud: MockedCloud) -> None:
    with pytest.raises(RecordError, match="'finetune' keeps no checkpoints") as caught:
        ask_to_stop(RUNNING, PLAIN)
    assert "jobs cancel finetune" in caught.value.advice
    assert not _requests(cloud)


def test_a_run_is_asked_once_a_margin_before_its_maximum(cloud: MockedCloud) -> None:
    said: list[str] = []
    limit = RuntimeLimit(SFT, said.append)
    assert limit.look(RUNNING, ASKED - timedelta(seconds=1)) == RUNNING
    assert not _requests(cloud)
    limit.look(RUNNING, ASKED)
    (text,) = _requests(cloud).values()
    assert json.loads(text) == {"by": "maximum runtime"}
    limit.look(RUNNING, ASKED + timedelta(minutes=5))
    assert said == [
        "finetune: its maximum runtime ends at 00:00:00 UTC: asked it to save a checkpoint and stop"
    ]


def test_a_run_without_checkpoints_is_only_told_of(cloud: MockedCloud) -> None:
    said: list[str] = []
    limit = RuntimeLimit(PLAIN, said.append)
    limit.look(RUNNING, ASKED)
    limit.look(RUNNING, ASKED + timedelta(minutes=1))
    assert len(said) == 1
    assert "keeps no checkpoints, so OCI will end it" in said[0]


def test_a_request_that_fails_is_made_again_a_minute_later(
    cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    limit = RuntimeLimit(SFT, said.append)
    faults = workbench.Faults(monkeypatch)
    faults.answer("PUT", "/o/checkpoints", 404, times=1)
    limit.look(RUNNING, ASKED)
    limit.look(RUNNING, ASKED + timedelta(seconds=59))
    assert not _requests(cloud)
    limit.look(RUNNING, ASKED + timedelta(seconds=60))
    assert len(_requests(cloud)) == 1
    assert ["could not be asked" in line for line in said] == [True, False]


def test_a_run_that_is_well_over_is_canceled(cloud: MockedCloud) -> None:
    said: list[str] = []
    limit = RuntimeLimit(SFT, said.append)
    assert limit.look(RUNNING, OVER - timedelta(seconds=1)) == RUNNING
    with pytest.raises(RefusedError, match="cancel the run of 'finetune'"):
        limit.look(RUNNING, OVER)  # the mock knows no such run
    assert said[-1] == "finetune: over its maximum runtime of 720 minutes: canceling it"
    assert limit.look(RUNNING.changed(state="CANCELING"), OVER).state == "CANCELING"


@pytest.mark.parametrize(
    "quiet",
    [
        entry("finetune", "SUCCEEDED", started=START),
        entry("finetune", "ACCEPTED"),
        entry("deploy", "CREATING", started=START),
    ],
)
def test_what_does_not_run_is_left_alone(cloud: MockedCloud, quiet: object) -> None:
    limit = RuntimeLimit(SFT, pytest.fail)
    assert limit.look(quiet, OVER) is quiet  # type: ignore[arg-type]


def test_the_margin_leaves_half_of_a_short_maximum() -> None:
    assert maximum_minutes(PLAIN) == 720
    minutes = {2: 1.0, 10: 3.0, 60: 6.0, 240: 20.0, 43200: 20.0}
    assert {most: margin(most).total_seconds() / 60 for most in minutes} == minutes
