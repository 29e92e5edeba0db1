"""Copies of a ledger's pipelines: text and back, and how two of one become one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import RecordError
from jobs.ledger import Ledger
from jobs.ledger_copy import EventCopy, PipelineCopy, apart, copies, merged, parse, rewrite
from jobs.record import Run, as_data
from tests.jobs.samples import START, OwnedClock, entry

_EVENTS = st.builds(
    EventCopy,
    st.integers(0, 9).map(lambda at: f"2026-11-22T12:00:0{at}+00:00"),
    st.sampled_from(["stage", "finetune"]),
    st.sampled_from(["creating job", "job created"]),
    st.sampled_from(["{}", '{"job": "ocid1.x"}']),
)
_STATES = st.sampled_from(["ACCEPTED", "IN_PROGRESS", "SUCCEEDED", "FAILED"])


def data(step: str, state: str = "SUCCEEDED", **values: Any) -> dict[str, Any]:
    written = as_data(Run({step: entry(step, state, **values)}))[step]
    found: dict[str, Any] = json.loads(json.dumps(written))
    return found


def copy(*events: EventCopy, **entries: Any) -> PipelineCopy:
    return PipelineCopy("f" * 64, 0, START.isoformat(), None, "RUNNING", entries, events)


def at(second: int, name: str = "x") -> EventCopy:
    return EventCopy(f"2026-11-22T12:00:{second:02d}+00:00", "stage", name, "{}")


@st.composite
def pipelines(draw: Callable[..., Any]) -> PipelineCopy:
    entries = {
        step: data(
            step,
            draw(_STATES),
            ids={"job": f"ocid1.job.{draw(st.integers(1, 3))}"},
            attempt=draw(st.integers(1, 2)),
        )
        for step in draw(st.sets(st.sampled_from(["stage", "finetune"])))
    }
    # As a ledger has them: no event twice.
    events = draw(st.lists(_EVENTS, max_size=4, unique=True))
    return copy(*events, **entries)


def jobs_of(pipeline: PipelineCopy) -> set[str]:
    return {
        made
        for values in pipeline.entries.values()
        for made in (values["ids"]["job"], *values["replaced"])
    }


@given(pipelines(), pipelines())
def test_the_merge_is_the_same_from_either_side_and_settles(
    one: PipelineCopy, other: PipelineCopy
) -> None:
    both = merged(one, other)
    assert both == merged(other, one)
    assert merged(both, one) == both == merged(both, other)


@given(pipelines(), pipelines())
def test_what_went_on_apart_loses_no_event_and_no_job(
    one: PipelineCopy, other: PipelineCopy
) -> None:
    both = merged(one, other)
    assert set(both.events) == {*one.events, *other.events}
    if apart(one, other):
        assert jobs_of(both) >= jobs_of(one) | jobs_of(other)


@given(pipelines())
def test_a_copy_comes_back_from_its_text(pipeline: PipelineCopy) -> None:
    assert parse(pipeline.text(), "here") == pipeline


def test_a_copy_that_goes_on_from_the_other_wins_whole() -> None:
    """Also where it dropped an entry: what was deleted does not come back."""
    earlier = copy(at(1), stage=data("stage"))
    later = copy(at(1), at(2, "forgotten"))
    assert merged(earlier, later) == later
    assert not apart(earlier, later)


def test_what_was_submitted_twice_keeps_both_in_sight() -> None:
    early = data("stage", ids={"job": "ocid1.a", "job_run": "ocid1.r"}, submitted=START)
    late = data("stage", ids={"job": "ocid1.b"}, submitted=START.replace(hour=13))
    one, other = copy(at(1), at(2), stage=early), copy(at(1), at(3), stage=late)
    assert apart(one, other)
    found = merged(one, other).entries["stage"]
    assert found["ids"] == {"job": "ocid1.b"}
    assert found["replaced"] == ["ocid1.a"]


def test_a_ledger_comes_back_from_its_copies(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "ledger.db", tmp_path / "b" / "ledger.db"
    ledger = Ledger(first, OwnedClock())
    ledger.begin("1" * 64)
    ledger.put(entry("stage"))
    ledger.note("job created", "stage", job="ocid1.x")
    ledger.end("FAILED")
    ledger.begin("2" * 64, 1)
    ledger.put(entry("finetune", replaced=("ocid1.y",), submitted=START))
    texts = [each.text() for each in copies(first)]
    rewrite(second, lambda _: [parse(text, "here") for text in reversed(texts)])
    again = Ledger(second, OwnedClock())
    assert again.pipelines() == ledger.pipelines()
    for number in (1, 2):
        assert again.read(number) == ledger.read(number)
        assert again.events(number) == ledger.events(number)
    assert again.known() == ledger.known()


def test_pipelines_are_named_alike_everywhere_and_in_their_order() -> None:
    first = copy()
    second = dataclasses.replace(first, began="2026-11-22T12:00:00.000001+00:00", fingerprint="")
    assert first.name == "20261122T120000-ffffffff-0"
    assert second.name == "20261122T120000.000001-single-0"
    assert first.name < second.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"format": 2}', "here has format 2; this version reads 1."),
        ("[]", "here is no copy of a ledger's pipeline"),
        ("half of on", "here is no copy of a ledger's pipeline"),
        ('{"format": 1, "events": []}', "here is no copy of a ledger's pipeline: 'fingerprint'"),
    ],
)
def test_what_is_no_copy_is_refused(text: str, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        parse(text, "here")
