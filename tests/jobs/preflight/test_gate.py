"""Nothing is submitted where a check fails; 'jobs run', 'jobs submit' and the API alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from oci.limits import QuotasClient
from oci.limits.models import CreateQuotaDetails

from jobs import cli
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.errors import PreflightError
from jobs.ledger import Ledger
from jobs.preflight import checks as found_checks
from jobs.preflight import gate
from jobs.preflight.check import Finding, failed, passed, warned
from jobs.preflight.checks.limits import Limits
from jobs.preflight.subject import Subject
from jobs.preflight.subject_of import still_to_run, subject_of
from jobs.record import STEPS
from jobs.work import Work, open_work
from ocimock import Settings, mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import Recorder
from tests.jobs.workbench import Workbench, science

ALL = frozenset(STEPS)


class Said:
    """A check that says what the test wants, and counts how often it is asked."""

    question = "?"
    offline = True
    after: ClassVar[tuple[str, ...]] = ()
    steps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, *findings: Finding) -> None:
        self.name = name
        self.findings = findings
        self.asked: list[Subject] = []

    def look(self, subject: Subject) -> tuple[Finding, ...]:
        self.asked.append(subject)
        return self.findings


@pytest.fixture(autouse=True)
def _wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gate.VARIABLE, raising=False)


@pytest.fixture
def wants(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the gate ask these checks."""

    def want(*checks: Any) -> None:
        monkeypatch.setattr(found_checks, "all_checks", lambda: list(checks))

    return want


@pytest.fixture
def work(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.chdir(tmp_path)
    bench.write(tmp_path / "definitions")
    ledger = tmp_path / "ledger" / "ledger.db"
    return open_work(tmp_path / "definitions", ledger, SystemClock(), lambda _: None)


def _jobs(cloud: MockedCloud) -> list[Any]:
    return list(science(cloud).list_jobs(cloud.compartment_id).data)


def test_a_failure_refuses_with_its_remedy_and_leaves_no_trace(
    cloud: MockedCloud, work: Work, wants: Any
) -> None:
    wants(Said("limits", failed("no room.", "make room")), Said("logs", passed("fine.")))
    with pytest.raises(PreflightError) as told:
        work.run(Recorder(), 0.1)
    assert "1 check fails; nothing was submitted" in told.value.what
    assert "limits: no room.\n  make room" in told.value.what
    assert "--no-preflight" in told.value.advice
    assert not _jobs(cloud)
    assert work.ledger.current() is None
    assert not work.leadership.held


def test_warnings_are_told_in_a_line_and_passes_are_counted(work: Work, wants: Any) -> None:
    wants(Said("hub", warned("not asked.", "ask\nit")), Said("logs", passed("fine.")))
    shown = Recorder()
    work.run(shown, 0.01)
    told = [line for line in shown.said if line.startswith("preflight")]
    assert told[0] == "preflight: hub: not asked."
    assert told[1].startswith("preflight: 2 checks in ")
    assert ": 1 passed, 1 warned; 'python -m jobs preflight' says" in told[1]


def test_what_is_all_submitted_is_not_looked_at(work: Work, wants: Any) -> None:
    check = Said("logs", passed("fine."))
    wants(check)
    work.run(Recorder(), 0.01)
    assert [each.steps for each in check.asked] == [ALL]
    work.run(Recorder(), 0.01)
    assert len(check.asked) == 1
    work.run(Recorder(), 0.01, fresh=True)
    assert [each.steps for each in check.asked] == [ALL, ALL]


def test_a_deployment_deleted_by_hand_is_looked_at_again(
    cloud: MockedCloud, work: Work, wants: Any
) -> None:
    check = Said("logs", passed("fine."))
    wants(check)
    work.run(Recorder(), 0.01)
    [standing] = science(cloud).list_model_deployments(cloud.compartment_id).data
    science(cloud).delete_model_deployment(standing.id)
    work.run(Recorder(), 0.01)
    assert check.asked[-1].steps == {"deploy", "smoke"}


def test_one_step_is_looked_at_by_itself(work: Work, wants: Any) -> None:
    check = Said("logs", failed("bad.", "mend it"))
    wants(check)
    with pytest.raises(PreflightError, match="bad"):
        work.submit(Recorder(), "stage")
    assert [each.steps for each in check.asked] == [{"stage"}]
    assert work.submit(Recorder(), "stage", preflight=False).step == "stage"


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_the_environment_may_do_without(
    work: Work, wants: Any, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    wants(Said("logs", failed("bad.", "mend it")))
    monkeypatch.setenv(gate.VARIABLE, value)
    if value == "1":
        assert work.run(Recorder(), 0.01).entries
        return
    with pytest.raises(PreflightError):
        work.run(Recorder(), 0.01)


def test_the_command_line_refuses_and_goes_on_when_told(
    bench: Workbench,
    cloud: MockedCloud,
    wants: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("")
    bench.write(tmp_path / "definitions" / "demo")
    wants(Said("logs", failed("bad.", "mend it")))
    assert cli.main(["submit", "stage"]) == 1
    assert "logs: bad." in capsys.readouterr().err
    assert not _jobs(cloud)
    assert cli.main(["submit", "stage", "--no-preflight"]) == 0
    assert len(_jobs(cloud)) == 1


def test_what_is_under_way_gives_its_machines_back_before_the_next(tmp_path: Path) -> None:
    """The training holds all the quota's GPUs; the merge follows it, and needs none beside them."""
    with mock_oci(Settings(run_seconds=100), pace=1.0) as cloud:
        bench = workbench.build(cloud)
        cloud.advance(60)
        sign_in()
        bench.write(tmp_path / "definitions")
        work = open_work(
            tmp_path / "definitions", tmp_path / "ledger.db", SystemClock(), lambda _: None
        )
        statement = "set data-science quota ds-gpu-a10-count to 12 in compartment sandbox"
        details = CreateQuotaDetails(
            compartment_id=cloud.settings.tenancy_id,
            name="gpus",
            description="-",
            statements=[statement],
        )
        QuotasClient(cloud.config).create_quota(details)
        work.submit(Recorder(), "stage", preflight=False)
        cloud.advance(101)
        work.runner(Recorder(), 0.01).follow(work.ledger.read().need("stage"))
        work.submit(Recorder(), "finetune", preflight=False)
        subject = subject_of(work.pipeline, work.definitions, work.ledger, work.clock)
        assert subject.steps == {"merge", "register", "deploy", "smoke"}
        assert [each.step for each in subject.under_way] == ["finetune"]
        assert {each.state.value for each in Limits().look(subject)} == {"pass"}
        alone = replace(subject, under_way=(), _kept={})
        assert {each.state.value for each in Limits().look(alone)} == {"fail"}


def test_a_changed_definition_takes_what_builds_on_it_with_it(work: Work, wants: Any) -> None:
    wants()
    work.run(Recorder(), 0.01, preflight=False)
    assert still_to_run(work.pipeline, work.definitions, work.ledger) == frozenset()
    changed = dict(work.definitions)
    merge = changed["merge"]
    changed["merge"] = type(merge)(merge.name, merge.path, merge.text.replace("256", "300"))
    due = still_to_run(work.pipeline, changed, work.ledger)
    assert due == {"merge", "register", "deploy", "smoke"}


def test_of_an_empty_ledger_everything_is_due(work: Work, tmp_path: Path) -> None:
    empty = Ledger(tmp_path / "none.db", SystemClock())
    assert still_to_run(work.pipeline, work.definitions, empty) == ALL
