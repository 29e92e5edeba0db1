"""Lead or follow: who does not lead shows what the leader does and ends as it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.attempts import FAILED, OVER_BUDGET
from jobs.errors import LeadError, LostLeadError, StepFailedError
from jobs.following import Following
from jobs.lease import SECONDS
from jobs.record import Run
from ocimock.inprocess import MockedCloud
from tests.jobs.machines import Machine
from tests.jobs.samples import OwnedClock, Recorder, entry
from tests.jobs.workbench import Workbench


@pytest.fixture
def there(bench: Workbench, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "there", skew=3600)


class Meanwhile(OwnedClock):
    """A clock that at each sleep lets the next thing happen elsewhere."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        super().__init__()
        self._happenings = iter(happenings)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        next(self._happenings)()


def follow(
    machine: Machine,
    *meanwhile: Callable[[], object],
    lead: Callable[[bool], Run] | None = None,
) -> tuple[Recorder, Callable[[], Run]]:
    """A follower on *machine*, and the call that has it follow."""
    view = Recorder()
    following = Following(
        machine.leadership, machine.ledger, view, Meanwhile(*meanwhile), interval=5.0
    )
    return view, lambda: following.lead_or_follow(lead or _must_not)


def _must_not(_followed: bool) -> Run:
    raise AssertionError("it led")


def begin(machine: Machine) -> None:
    assert machine.leadership.acquire()
    machine.ledger.begin("f" * 64)
    machine.ledger.put(entry("stage", "IN_PROGRESS"))
    machine.leadership.confirm()


def end(machine: Machine, state: str) -> None:
    machine.ledger.put(entry("stage", state))
    machine.ledger.end(state)
    machine.leadership.release()


def test_who_may_lead_leads_and_gives_the_lead_back(here: Machine, there: Machine) -> None:
    _, run = follow(here, lead=lambda followed: Run({"stage": entry("stage")}))
    assert run().need("stage").done
    assert not here.leadership.held
    assert there.leadership.acquire()


def test_a_follower_shows_what_the_leader_does_and_ends_as_well(
    here: Machine, there: Machine
) -> None:
    begin(here)
    view, run = follow(
        there,
        lambda: here.ledger.put(entry("stage", "SUCCEEDED")),
        here.leadership.confirm,
        lambda: end(here, "SUCCEEDED"),
    )
    assert run().need("stage").done
    assert [state for _, state in view.states] == ["IN_PROGRESS", "SUCCEEDED"]
    assert "leads this pipeline: following it." in view.said[0]
    assert len(view.said) == 1


def test_a_follower_fails_as_the_leader_does(here: Machine, there: Machine) -> None:
    begin(here)
    failure = {"reason": "out of memory", "lines": ["CUDA out of memory"], "advice": "Less."}

    def fail() -> None:
        here.ledger.note(FAILED, "stage", **failure)
        end(here, "FAILED")

    _, run = follow(there, fail)
    with pytest.raises(StepFailedError, match=r"stage ended FAILED(.|\n)*\| CUDA out of memory"):
        run()
    assert not there.leadership.held


def test_a_submission_that_was_refused_there_is_said_here(here: Machine, there: Machine) -> None:
    begin(here)

    def refuse() -> None:
        here.ledger.note(FAILED, "finetune", reason="no such shape", lines=[], advice="Mend it.")
        end(here, "FAILED")

    _, run = follow(there, refuse)
    with pytest.raises(StepFailedError, match=r"finetune: no such shape\nMend it\."):
        run()


def test_what_was_over_the_budget_there_is_said_here(here: Machine, there: Machine) -> None:
    begin(here)

    def refuse() -> None:
        here.ledger.note(FAILED, "finetune", reason="a node was lost", lines=[], advice="")
        here.ledger.note(
            OVER_BUDGET, "finetune", reason="it could pass the limit", advice="Mend it."
        )
        end(here, "FAILED")

    _, run = follow(there, refuse)
    with pytest.raises(StepFailedError, match=r"it could pass the limit\nMend it\."):
        run()


def test_a_failure_of_no_step_is_one_too(here: Machine, there: Machine) -> None:
    begin(here)

    def refuse() -> None:
        here.ledger.forget("stage")
        here.ledger.end("FAILED")
        here.leadership.release()

    _, run = follow(there, refuse)
    with pytest.raises(StepFailedError, match="The pipeline that was followed ended FAILED"):
        run()


def test_an_outcome_of_before_is_not_the_leaders(here: Machine, there: Machine) -> None:
    """The leader died before it began anything: this process has to."""
    begin(here)
    end(here, "FAILED")
    here.leadership.acquire()
    led: list[bool] = []

    def lead(followed: bool) -> Run:
        led.append(followed)
        return Run()

    _, run = follow(there, here.leadership.release, lead=lead)
    run()
    assert led == [True]


def test_a_follower_leads_on_when_the_leader_falls_silent(
    cloud: MockedCloud, here: Machine, there: Machine
) -> None:
    begin(here)
    seen: list[str] = []

    def lead(followed: bool) -> Run:
        assert followed
        seen.append(there.ledger.read().need("stage").state)
        return Run()

    view, run = follow(there, lambda: cloud.advance(SECONDS + 1), lead=lead)
    run()
    assert seen == ["IN_PROGRESS"]
    assert view.said[-1] == "The leader is gone: this process leads on."


def test_who_loses_the_lead_follows_who_has_it(
    cloud: MockedCloud, here: Machine, there: Machine
) -> None:
    def lead(_followed: bool) -> Run:
        begin(here)
        cloud.advance(SECONDS + 1)
        assert there.leadership.acquire()
        here.leadership.confirm()
        raise AssertionError("it went on")

    view, run = follow(here, lambda: end(there, "SUCCEEDED"), lead=lead)
    assert run().need("stage").done
    assert "The lead was taken over by" in view.said[0]


def test_a_fresh_run_is_not_taken_for_following(here: Machine, there: Machine) -> None:
    begin(here)
    with pytest.raises(LeadError, match="This tenancy's pipeline is led by"):
        there.leadership.require()
    assert not isinstance(LeadError(""), LostLeadError)
