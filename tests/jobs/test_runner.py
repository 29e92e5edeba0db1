"""The way through the steps: what is submitted, followed or left, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from jobs import history, judging, machines, run_log, states
from jobs.attempts import OVER_BUDGET
from jobs.definitions import Definition
from jobs.errors import (
    BudgetError,
    LostLeadError,
    PredictionError,
    RecordError,
    RefusedError,
    StepFailedError,
)
from jobs.idempotency import Submission
from jobs.ledger import Ledger
from jobs.pipeline import Pipeline, pipeline_of
from jobs.record import MAKES, STEPS, Entry, Run
from jobs.runner import Runner
from jobs.states import latest, refresh
from jobs.steps import deployment, job, model, smoke
from tests.jobs.samples import START, OwnedClock, Recorder, all_definitions, entry, text

DEFINITION_OF = {"register": "model", "deploy": "deployment"}
CODE = ("FAILED", "Job run artifact execution failed with exit code 1")
LOST = ("FAILED", "node 3 was lost")
FULL = ("FAILED", "Out of host capacity.")


@dataclass
class Oci:
    """What the steps would find: each submission is numbered, and ends as it is told to."""

    submitted: list[Submission] = field(default_factory=list)
    ends: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    refusals: dict[str, list[Exception]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    standing: dict[str, Entry] = field(default_factory=dict)
    taken_back: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        return [each.step for each in self.submitted]

    def submit(self, submission: Submission, *_: object) -> Entry:
        self.submitted.append(submission)
        if refusals := self.refusals.get(submission.step):
            raise refusals.pop(0)
        number = len(self.submitted)
        step = submission.step
        states_of = {"deploy": "CREATING", "register": "ACTIVE", "smoke": "SUCCEEDED"}
        ids = (
            {"deployment": "ocid1.datasciencemodeldeployment.asked"}
            if step == "smoke"
            else {name: f"{ocid}{number}" for name, ocid in entry(step).ids.items()}
        )
        made = Entry(state=states_of.get(step, "ACCEPTED"), ids=ids, **submission.fields)
        self.standing[submission.key] = made
        return made

    def find(self, submission: Submission) -> Entry | None:
        made = self.standing.get(submission.key)
        return made if made and not self.missing & set(made.ids.values()) else None

    def take_back(self, submission: Submission) -> str:
        self.taken_back.append(submission.step)
        return "The job itself was deleted again."

    def observe(self, seen: Entry) -> Entry:
        if self.missing & set(seen.ids.values()):
            raise RefusedError("gone", status=404)
        good = "ACTIVE" if seen.step in {"register", "deploy"} else "SUCCEEDED"
        if seen.ended:
            return seen
        ends = self.ends.get(seen.step, [])
        state, details = ends.pop(0) if ends else (good, "")
        started = None if (state, details) == FULL else START
        return seen.changed(state=state, details=details, started=started)


@pytest.fixture
def oci(monkeypatch: pytest.MonkeyPatch) -> Oci:
    made = Oci()
    for room in (job, model, deployment):
        monkeypatch.setattr(room, "submit", made.submit)
        monkeypatch.setattr(room, "find", made.find)
    for room in (job, model):
        monkeypatch.setattr(room, "take_back", made.take_back)
    monkeypatch.setattr(smoke, "ask", made.submit)
    monkeypatch.setattr(states, "observe", made.observe)
    monkeypatch.setattr(machines, "look", lambda seen: None)
    monkeypatch.setattr(run_log.Reader, "new", lambda reader, seen: [])
    monkeypatch.setattr(judging, "last_words", lambda seen: [])
    return made


@pytest.fixture
def clock() -> OwnedClock:
    return OwnedClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: OwnedClock) -> Ledger:
    return Ledger(tmp_path / "ledger.db", clock)


def _pipeline(**values: object) -> Pipeline:
    content = yaml.safe_load(text("pipeline"))
    content["spec"] |= values
    return pipeline_of(content)


def _with_fallback(pipeline: Pipeline) -> Pipeline:
    steps = tuple(
        replace(step, definitions=(*step.definitions, "finetune.fallback-1.yaml"))
        if step.name == "finetune"
        else step
        for step in pipeline
    )
    return replace(pipeline, steps=steps)


def _runner(
    ledger: Ledger, clock: OwnedClock, pipeline: Pipeline | None = None, **changed: Definition
) -> tuple[Runner, Recorder]:
    view = Recorder()
    definitions = {**all_definitions(), **changed}
    return Runner(pipeline or _pipeline(), definitions, ledger, view, clock), view


def _changed(name: str) -> Definition:
    old = all_definitions()[name]
    return Definition(name, old.path, old.text + "# changed\n")


@contextmanager
def _instead(patch: pytest.MonkeyPatch, room: object, name: str, other: object) -> Iterator[None]:
    with patch.context() as patched:
        patched.setattr(room, name, other)
        yield


def _good(step: str) -> str:
    return "ACTIVE" if step in {"register", "deploy"} else "SUCCEEDED"


def _state(ledger: Ledger) -> str:
    current = ledger.current()
    return current.state if current else ""


# --- the steps in order ----------------------------------------------------------------------


def test_all_steps_in_order(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    runner, _ = _runner(ledger, clock)
    done = runner.run()
    assert oci.steps == list(STEPS)
    assert [each.state for each in done.entries.values()] == [_good(step) for step in STEPS]
    assert ledger.read() == done
    assert _state(ledger) == "SUCCEEDED"


def test_done_steps_are_left_and_said(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    _runner(ledger, clock)[0].run()
    again, view = _runner(ledger, clock)
    again.run()
    assert oci.steps == list(STEPS)
    assert view.said == [f"{step}: done before, {_good(step)}; left as it is" for step in STEPS]
    assert len(ledger.pipelines()) == 1


def test_a_job_that_is_done_is_not_asked_for_again(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    """What it wrote is in the bucket, whether OCI keeps its record or not."""
    _runner(ledger, clock)[0].run()
    oci.missing |= {each for step in STEPS[:3] for each in ledger.read().need(step).ids.values()}
    _runner(ledger, clock)[0].run()
    assert oci.steps == list(STEPS)


def test_fresh_takes_every_step_anew(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    runner, _ = _runner(ledger, clock)
    runner.run()
    first = {step: made.made for step, made in ledger.read().entries.items()}
    runner.run(fresh=True)
    assert oci.steps == [*STEPS, *STEPS]
    assert {step: made.replaced for step, made in ledger.read().entries.items()} == first
    assert [each.generation for each in ledger.pipelines()] == [1, 0]
    assert len({each.key for each in oci.submitted}) == 2 * len(STEPS)


def test_a_fresh_run_that_was_killed_goes_on_as_one(
    oci: Oci, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _runner(ledger, clock)[0].run()

    def killed(submission: Submission) -> Entry:
        raise KeyboardInterrupt

    runner = _runner(ledger, clock)[0]
    with _instead(monkeypatch, job, "submit", killed), pytest.raises(KeyboardInterrupt):
        runner.run(fresh=True)
    _runner(ledger, clock)[0].run()
    assert oci.steps == [*STEPS, *STEPS]
    assert len(ledger.pipelines()) == 2


def test_nothing_is_taken_anew_beside_what_runs(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.ends["stage"] = [("IN_PROGRESS", "")]
    runner, _ = _runner(ledger, clock)
    runner.submit("stage")
    with pytest.raises(RecordError, match="'stage' is IN_PROGRESS already"):
        runner.run(fresh=True)
    assert [each.generation for each in ledger.pipelines()] == [0]


@pytest.mark.parametrize(("step", "expected"), [("merge", STEPS[2:]), ("deploy", STEPS[4:])])
def test_a_changed_definition_takes_its_step_and_all_after_it_anew(
    step: str, expected: tuple[str, ...], oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    _runner(ledger, clock)[0].run()
    name = DEFINITION_OF.get(step, step)
    changed, view = _runner(ledger, clock, None, **{name: _changed(name)})
    changed.run()
    assert oci.steps == [*STEPS, *expected]
    why = "its definition, or what it builds on, has changed since: submitting anew"
    assert f"{step}: {why}" in view.said
    assert [each.state for each in ledger.pipelines()] == ["SUCCEEDED", "SUCCEEDED"]


def test_another_question_is_asked_anew(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    _runner(ledger, clock)[0].run()
    _runner(ledger, clock, _pipeline(question="Another?"))[0].run()
    assert oci.steps == [*STEPS, "smoke"]


def test_only_the_last_submission_of_a_step_counts_as_done(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    """Its output was overwritten by the other definition's: back again is anew, by another key."""
    _runner(ledger, clock)[0].run()
    _runner(ledger, clock, deployment=_changed("deployment"))[0].run()
    _runner(ledger, clock)[0].run()
    deployed = [each for each in oci.submitted if each.step == "deploy"]
    assert len({each.key for each in deployed}) == 3


def test_an_old_submission_under_way_keeps_another_definition_out(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.ends["stage"] = [("IN_PROGRESS", "")] * 3
    _runner(ledger, clock)[0].submit("stage")
    changed, _ = _runner(ledger, clock, stage=_changed("stage"))
    with pytest.raises(RecordError, match="'stage' is IN_PROGRESS already"):
        changed.run()
    assert oci.steps == ["stage"]


def test_a_run_that_nobody_wrote_down_keeps_another_definition_out(
    oci: Oci, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between OCI's answer and the ledger, and then the definition was changed."""

    def killed(submission: Submission) -> Entry:
        oci.submit(submission)
        raise KeyboardInterrupt

    runner = _runner(ledger, clock)[0]
    with _instead(monkeypatch, job, "submit", killed), pytest.raises(KeyboardInterrupt):
        runner.run()
    changed, _ = _runner(ledger, clock, stage=_changed("stage"))
    with pytest.raises(RecordError, match="'stage' is ACCEPTED already"):
        changed.run()
    assert oci.steps == ["stage"]
    assert ledger.read().need("stage").ids["job_run"] in ledger.known()


# --- going on --------------------------------------------------------------------------------


def test_a_run_that_is_under_way_is_followed(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    oci.ends["stage"] = [("IN_PROGRESS", ""), ("IN_PROGRESS", "")]
    _runner(ledger, clock)[0].submit("stage")
    again, view = _runner(ledger, clock)
    again.run()
    assert oci.steps == list(STEPS)
    assert view.said[0] == "stage: IN_PROGRESS already: following it"


def test_what_oci_has_no_more_is_submitted_anew(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    _runner(ledger, clock)[0].run()
    oci.missing.add(ledger.read().need("register").ids["model"])
    again, view = _runner(ledger, clock)
    again.run()
    assert oci.steps == [*STEPS, "register", "deploy", "smoke"]
    assert "register: OCI has the recorded one no more: submitting anew" in view.said
    assert len({each.key for each in oci.submitted}) == len(oci.submitted)


def test_a_submission_that_was_cut_short_goes_on_under_its_key(
    oci: Oci, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Submission] = []

    def killed(submission: Submission) -> Entry:
        seen.append(submission)
        raise KeyboardInterrupt

    runner = _runner(ledger, clock)[0]
    with _instead(monkeypatch, job, "submit", killed), pytest.raises(KeyboardInterrupt):
        runner.run()
    assert _state(ledger) == "RUNNING"
    again, view = _runner(ledger, clock)
    again.run()
    assert oci.submitted[0].key == seen[0].key
    assert view.said[0] == "stage: its submission was cut short: going on with it"


def test_a_machine_without_the_ledger_computes_the_same_keys(
    oci: Oci, ledger: Ledger, clock: OwnedClock, tmp_path: Path
) -> None:
    _runner(ledger, clock)[0].run()
    other = Ledger(tmp_path / "other" / "ledger.db", clock)
    _runner(other, clock)[0].run()
    keys = [each.key for each in oci.submitted]
    assert keys[: len(STEPS)] == keys[len(STEPS) :]


def test_a_step_that_was_forgotten_is_submitted_by_another_key(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    """OCI knows the first key's requests for a day, and would answer with what was deleted."""
    runner, _ = _runner(ledger, clock)
    runner.run()
    for step in reversed(STEPS):
        ledger.forget(step)
    oci.standing.clear()
    runner.run()
    assert oci.steps == [*STEPS, *STEPS]
    assert len({each.key for each in oci.submitted}) == 2 * len(STEPS)


def test_who_lost_the_lead_submits_nothing(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    def lost() -> None:
        raise LostLeadError("Another machine leads.")

    runner = replace(_runner(ledger, clock)[0], confirm=lost)
    with pytest.raises(LostLeadError):
        runner.run()
    assert oci.steps == []
    assert _state(ledger) == "RUNNING"


# --- failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["stage", "finetune", "merge"])
def test_a_failed_step_stops_the_run_and_can_be_tried_again(
    step: str, oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.ends[step] = [CODE, CODE]
    runner, _ = _runner(ledger, clock)
    with pytest.raises(StepFailedError, match=f"{step} ended FAILED") as caught:
        runner.run()
    assert "It is not submitted again: its own code failed" in caught.value.what
    upto = STEPS[: STEPS.index(step) + 1]
    assert oci.steps == list(upto)
    assert ledger.read().need(step).state == "FAILED"
    assert _state(ledger) == "FAILED"

    again, view = _runner(ledger, clock)
    with pytest.raises(StepFailedError):
        again.run()
    assert oci.steps == [*upto, step]
    assert f"{step}: the last one is FAILED: submitting anew" in view.said


def test_a_lost_run_is_submitted_again_until_its_retries_are_used_up(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.ends["finetune"] = [LOST, LOST, LOST]
    runner, view = _runner(ledger, clock)
    with pytest.raises(StepFailedError, match="it was lost 3 times"):
        runner.run()
    assert oci.steps == ["stage", *["finetune"] * 3]
    assert [each.attempt for each in oci.submitted[1:]] == [1, 2, 3]
    made = ledger.read().need("finetune")
    assert made.attempt == 3
    assert len(made.replaced) == 2
    assert any("retry 1 of 2" in each for each in view.said)

    # A person who asks again has all retries again.
    oci.ends["finetune"] = [LOST]
    runner.run()
    assert oci.steps[4:] == ["finetune", "finetune", *STEPS[2:]]


def test_without_capacity_the_fallback_is_next_and_then_a_wait(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    fallback = Definition(
        "finetune.fallback-1", Path("finetune.fallback-1.yaml"), text("finetune") + "# other\n"
    )
    oci.ends["finetune"] = [FULL, FULL]
    runner, _ = _runner(ledger, clock, _with_fallback(_pipeline()), **{fallback.name: fallback})
    done = runner.run()
    files = [each.definition.path.name for each in oci.submitted if each.step == "finetune"]
    assert files == ["finetune.yaml", "finetune.fallback-1.yaml", "finetune.yaml"]
    assert done.need("finetune").definition == "finetune.yaml"
    assert sum(clock.slept) >= 60


def test_a_wait_goes_on_to_the_same_deadline_after_a_restart(
    oci: Oci, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    oci.ends["stage"] = [FULL]

    def sleep(seconds: float) -> None:
        if len(clock.slept) > 2:
            raise KeyboardInterrupt
        OwnedClock.sleep(clock, seconds)

    runner = _runner(ledger, clock)[0]
    with _instead(monkeypatch, clock, "sleep", sleep), pytest.raises(KeyboardInterrupt):
        runner.run()
    [again] = [each for each in ledger.events_of("stage") if each.name == "again"]
    before = clock.now()
    runner, view = _runner(ledger, clock)
    runner.run()
    submitted = next(each for each in ledger.events_of("stage")[::-1] if each.name == "attempt").at
    assert submitted.isoformat() == again.details["until"]
    assert submitted > before
    assert "no capacity: trying again in" in view.said[0]
    assert oci.steps == ["stage", *STEPS]


def test_a_service_that_takes_nothing_is_asked_again_under_the_same_key(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.refusals["stage"] = [RefusedError("503", status=503), RefusedError("429", status=429)]
    runner, _ = _runner(ledger, clock)
    runner.run()
    assert oci.steps == ["stage", "stage", *STEPS]
    assert len({each.key for each in oci.submitted[:3]}) == 1
    assert oci.taken_back == []


def test_a_refusal_stops_the_run_and_leaves_nothing(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.refusals["stage"] = [RefusedError("LimitExceeded: no GPUs", status=400)]
    runner, _ = _runner(ledger, clock)
    with pytest.raises(RefusedError, match=r"no GPUs\nThe job itself was deleted again\."):
        runner.run()
    assert oci.taken_back == ["stage"]
    assert _state(ledger) == "FAILED"
    runner.run()
    assert len({each.key for each in oci.submitted[:2]}) == 2


def test_a_session_that_has_run_out_leaves_all_as_it_is(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    oci.refusals["finetune"] = [RefusedError("NotAuthenticated", status=401)]
    runner, _ = _runner(ledger, clock)
    with pytest.raises(RefusedError, match="NotAuthenticated"):
        runner.run()
    assert oci.taken_back == []
    assert _state(ledger) == "RUNNING"
    runner.run()
    assert oci.steps == ["stage", "finetune", *STEPS[1:]]
    assert oci.submitted[1].key == oci.submitted[2].key


def test_a_failure_that_nobody_judged_is_judged_by_the_next_run(
    oci: Oci, ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    oci.ends["stage"] = [LOST]
    runner = _runner(ledger, clock)[0]
    with _instead(monkeypatch, judging, "next_move", killed), pytest.raises(KeyboardInterrupt):
        runner.run()
    _runner(ledger, clock)[0].run()
    assert oci.steps == ["stage", *STEPS]
    names = [each.name for each in ledger.events_of("stage")]
    assert names == ["attempt", "failed", "again", "attempt"]


def test_what_would_pass_the_limit_is_not_submitted(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    runner, _ = _runner(ledger, clock, _pipeline(spendingLimit=10))
    with pytest.raises(BudgetError, match="spending limit"):
        runner.run()
    assert oci.steps == ["stage"]
    (event,) = ledger.events_of("finetune")
    assert event.name == OVER_BUDGET
    assert "it could pass the spending limit of $10.00" in history.words(event)
    assert _state(ledger) == "FAILED"


def test_what_somebody_canceled_is_taken_anew(oci: Oci, ledger: Ledger, clock: OwnedClock) -> None:
    runner, view = _runner(ledger, clock)
    runner.submit("stage")
    ledger.put(ledger.read().need("stage").changed(state="CANCELED"))
    runner.run()
    assert view.said[0] == "stage: the last one is CANCELED: submitting anew"
    assert oci.steps == ["stage", *STEPS]


# --- one step --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "state", "advice"),
    [("finetune", "IN_PROGRESS", "jobs cancel finetune"), ("deploy", "CREATING", "watch deploy")],
)
def test_what_is_under_way_is_not_submitted_twice(
    step: str, state: str, advice: str, oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    runner, _ = _runner(ledger, clock)
    runner.run()
    ledger.put(ledger.read().need(step).changed(state=state))
    oci.ends[step] = [(state, "")]
    with pytest.raises(RecordError, match=f"'{step}' is {state} already") as caught:
        runner.submit(step)
    assert advice in caught.value.advice
    assert oci.steps == list(STEPS)


def test_a_step_that_is_done_is_submitted_anew_when_asked_for(
    oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    runner, _ = _runner(ledger, clock)
    runner.submit("stage")
    runner.follow(ledger.read().need("stage"))
    runner.submit("stage")
    assert oci.steps == ["stage", "stage"]
    assert oci.submitted[0].key != oci.submitted[1].key


@pytest.mark.parametrize("step", ["finetune", "merge", "register", "deploy", "smoke"])
def test_a_step_needs_those_that_it_builds_on(
    step: str, oci: Oci, ledger: Ledger, clock: OwnedClock
) -> None:
    runner, _ = _runner(ledger, clock)
    with pytest.raises(RecordError, match="no record of"):
        runner.submit(step)
    needs = runner.pipeline.step(step).needs
    for state, advice in (("IN_PROGRESS", f"watch {needs[0]}"), ("FAILED", f"submit {needs[0]}")):
        for needed in needs:
            ledger.put(entry(needed, state))
        with pytest.raises(RecordError, match=f"'{step}' needs '{needs[0]}'") as caught:
            runner.submit(step)
        assert advice in caught.value.advice
    assert oci.steps == []


def test_refreshing_marks_what_is_gone(oci: Oci, ledger: Ledger) -> None:
    ledger.put(entry("finetune", "IN_PROGRESS"))
    ledger.put(entry("register", "ACTIVE"))
    oci.missing.add(ledger.read().need("register").ids["model"])
    refresh(ledger)
    found = ledger.read()
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


# --- the smoke test --------------------------------------------------------------------------


def _asked(monkeypatch: pytest.MonkeyPatch, clock: OwnedClock, *answers: object) -> Entry:
    coming = list(answers)

    def answer(*_: object) -> object:
        found = coming.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(smoke, "predict", answer)
    served = entry("deploy", "ACTIVE")
    submission = Submission("demo", "smoke", "k" * 24, all_definitions()["deployment"])
    return smoke.ask(submission, served, "Is it up?", clock)


def test_a_deployment_that_warms_up_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, clock: OwnedClock
) -> None:
    from jobs.predict import Prediction

    answer = Prediction("It is\nup.", {}, 0.25, simulated=False)
    found = _asked(monkeypatch, clock, PredictionError("503"), answer)
    assert found.state == "SUCCEEDED"
    assert found.details == "It is up. (250 ms)"
    assert clock.slept == [smoke.PAUSE]
    assert found.made == ()


def test_a_deployment_that_never_answers_fails_the_step(
    monkeypatch: pytest.MonkeyPatch, clock: OwnedClock
) -> None:
    found = _asked(monkeypatch, clock, *[PredictionError("it answered 500")] * smoke.TRIES)
    assert (found.state, found.details) == ("FAILED", "it answered 500")
    assert len(clock.slept) == smoke.TRIES - 1


def test_every_step_has_a_kind_of_its_own() -> None:
    assert {step.name: step.kind for step in _pipeline()} == MAKES
