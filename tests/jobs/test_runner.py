"""The way through the steps: what is submitted, followed or left, and what is written down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jobs import runner as room
from jobs import states
from jobs.clock import SystemClock
from jobs.definitions import Definition
from jobs.errors import RecordError, RefusedError, StepFailedError
from jobs.ledger import Ledger
from jobs.record import STEPS, Entry, Run
from jobs.runner import DEFINITION_OF, Runner
from jobs.states import latest, refresh
from jobs.steps import deployment, job, model
from tests.jobs.samples import START, OwnedClock, Recorder, all_definitions, entry


class Oci:
    """What the steps would find: each submission is numbered, and ends as it is told to."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.ends: dict[str, str] = {}
        self.missing: set[str] = set()

    def submit(self, step: str, definition: Definition) -> Entry:
        self.submitted.append(step)
        state = "CREATING" if step == "deploy" else "ACCEPTED"
        made = entry(step, state, digest=definition.digest)
        return made.changed(
            ids={name: f"{ocid}{len(self.submitted)}" for name, ocid in made.ids.items()}
        )

    def observe(self, seen: Entry) -> Entry:
        if self.missing & set(seen.ids.values()):
            raise RefusedError("gone", status=404)
        good = "ACTIVE" if seen.step in {"register", "deploy"} else "SUCCEEDED"
        return seen.changed(state=self.ends.get(seen.step, good))


@pytest.fixture
def oci(monkeypatch: pytest.MonkeyPatch) -> Oci:
    made = Oci()
    monkeypatch.setattr(job, "submit", made.submit)
    monkeypatch.setattr(
        model,
        "register",
        lambda definitions, run: made.submit("register", definitions["model"]),
    )
    monkeypatch.setattr(
        deployment, "deploy", lambda definition, model_id: made.submit("deploy", definition)
    )
    monkeypatch.setattr(states, "observe", made.observe)
    monkeypatch.setattr(room, "tail", lambda entry, limit=None: [])
    return made


@pytest.fixture
def records(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", SystemClock())


def _runner(records: Ledger, **changed: Definition) -> tuple[Runner, Recorder]:
    view = Recorder()
    return Runner({**all_definitions(), **changed}, records, view, OwnedClock()), view


def test_all_steps_in_order(oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    done = runner.run()
    assert oci.submitted == list(STEPS)
    assert [each.state for each in done.entries.values()] == [
        "SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "ACTIVE", "ACTIVE",
    ]  # fmt: skip
    assert records.read() == done


def test_done_steps_are_left_and_said(oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    runner.run()
    again, view = _runner(records)
    again.run()
    assert oci.submitted == list(STEPS)
    assert view.said == [f"{step}: done before, {_good(step)}; left as it is" for step in STEPS]


def test_fresh_takes_every_step_anew(oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    runner.run()
    first = {step: entry.made for step, entry in records.read().entries.items()}
    runner.run(fresh=True)
    assert oci.submitted == [*STEPS, *STEPS]
    replaced = {step: entry.replaced for step, entry in records.read().entries.items()}
    assert replaced == first


@pytest.mark.parametrize(
    ("step", "advice"),
    [("finetune", "jobs cancel finetune"), ("deploy", "jobs watch deploy")],
)
def test_what_is_under_way_is_not_submitted_twice(
    step: str, advice: str, oci: Oci, records: Ledger
) -> None:
    runner, _ = _runner(records)
    runner.run()
    records.put(records.read().need(step).changed(state="IN_PROGRESS"))
    oci.ends[step] = "IN_PROGRESS"
    with pytest.raises(RecordError, match=f"'{step}' is IN_PROGRESS already") as caught:
        runner.submit(step)
    assert advice in caught.value.advice
    assert oci.submitted == list(STEPS)


def test_what_has_ended_unseen_or_is_gone_is_submitted_anew(oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    records.put(entry("stage"))
    records.put(entry("finetune", "IN_PROGRESS"))
    runner.submit("finetune")
    oci.missing.add(records.read().need("finetune").ids["job_run"])
    runner.submit("finetune")
    assert oci.submitted == ["finetune", "finetune"]


@pytest.mark.parametrize(("step", "expected"), [("merge", STEPS[2:]), ("deploy", STEPS[4:])])
def test_a_changed_definition_takes_its_step_and_all_after_it_anew(
    step: str, expected: tuple[str, ...], oci: Oci, records: Ledger
) -> None:
    runner, _ = _runner(records)
    runner.run()
    name = DEFINITION_OF[step]
    old = runner.definitions[name]
    changed, view = _runner(records, **{name: Definition(name, old.path, old.text + "# changed\n")})
    changed.run()
    assert oci.submitted == [*STEPS, *expected]
    assert f"{step}: its definition has changed since: submitting anew" in view.said


def test_a_run_that_is_under_way_is_followed(
    oci: Oci, records: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, _ = _runner(records)
    runner.submit("stage")
    looks = iter(["IN_PROGRESS", "IN_PROGRESS"])

    def observe(seen: Entry) -> Entry:
        found = oci.observe(seen)
        return found.changed(state=next(looks, found.state)) if seen.step == "stage" else found

    monkeypatch.setattr(states, "observe", observe)
    again, view = _runner(records)
    again.run()
    assert oci.submitted == list(STEPS)
    assert view.said[0] == "stage: IN_PROGRESS already: following it"


def test_what_oci_has_no_more_is_submitted_anew(oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    runner.run()
    oci.missing.add(records.read().need("register").ids["model"])
    again, view = _runner(records)
    again.run()
    assert oci.submitted == [*STEPS, "register", "deploy"]
    assert "register: OCI has the recorded one no more: submitting anew" in view.said


@pytest.mark.parametrize("step", ["stage", "finetune", "merge", "deploy"])
def test_a_failed_step_stops_the_run_and_can_be_tried_again(
    step: str, oci: Oci, records: Ledger
) -> None:
    oci.ends[step] = "FAILED"
    runner, _ = _runner(records)
    with pytest.raises(StepFailedError, match=f"{step} ended FAILED"):
        runner.run()
    upto = STEPS[: STEPS.index(step) + 1]
    assert oci.submitted == list(upto)
    assert records.read().need(step).state == "FAILED"

    again, view = _runner(records)
    with pytest.raises(StepFailedError):
        again.run()
    assert oci.submitted == [*upto, step]
    assert f"{step}: the last one is FAILED: submitting anew" in view.said


def test_a_submission_is_written_down_before_it_is_followed(
    oci: Oci, records: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seen: Entry) -> Entry:
        raise KeyboardInterrupt

    monkeypatch.setattr(states, "observe", interrupted)
    runner, _ = _runner(records)
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    assert records.read().need("stage").state == "ACCEPTED"


@pytest.mark.parametrize("step", ["finetune", "merge", "register", "deploy"])
def test_a_step_needs_those_that_it_builds_on(step: str, oci: Oci, records: Ledger) -> None:
    runner, _ = _runner(records)
    with pytest.raises(RecordError, match="no record of"):
        runner.submit(step)
    first = room.NEEDS[step][0]
    for state, advice in (("IN_PROGRESS", f"watch {first}"), ("FAILED", f"submit {first}")):
        for needed in room.NEEDS[step]:
            records.put(entry(needed, state))
        with pytest.raises(RecordError, match=f"'{step}' needs '{first}'") as caught:
            runner.submit(step)
        assert advice in caught.value.advice
    assert oci.submitted == []


def test_refreshing_marks_what_is_gone(oci: Oci, records: Ledger) -> None:
    records.put(entry("finetune", "IN_PROGRESS"))
    records.put(entry("register", "ACTIVE"))
    oci.missing.add(records.read().need("register").ids["model"])
    refresh(records)
    found = records.read()
    assert found.need("finetune").state == "SUCCEEDED"
    assert found.need("register").state == "DELETED"


def test_the_latest_step() -> None:
    merge = entry("merge", "IN_PROGRESS", submitted=START)
    first = Run({"finetune": entry("finetune", submitted=START), "merge": merge})
    assert latest(first).step == "merge"
    anew = entry("finetune", submitted=START + timedelta(hours=1))
    assert latest(Run({"finetune": anew, "merge": merge})).step == "finetune"
    with pytest.raises(RecordError, match="Nothing was run yet"):
        latest(Run())


def _good(step: str) -> str:
    return "ACTIVE" if step in {"register", "deploy"} else "SUCCEEDED"
