"""Checks side by side: in order, one cause told once, a fault of a check is no failure."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import oci
import pytest
from oci.data_science import DataScienceClient
from rich.console import Console

from jobs import cli
from jobs.auth import client
from jobs.errors import RefusedError, UnreachableError
from jobs.preflight import checks as found_checks
from jobs.preflight import patience, view
from jobs.preflight.check import Check, Finding, State, failed, passed, warned
from jobs.preflight.looking import Answer, in_order, look
from jobs.preflight.subject import Subject
from jobs.record import STEPS
from tests.jobs.workbench import Workbench

Ask = Callable[[Subject], Finding | Iterable[Finding]]


class Asks:
    """A check of the test's own."""

    question = "Is it?"

    def __init__(
        self,
        name: str,
        ask: Ask = lambda _: passed("yes."),
        *,
        after: tuple[str, ...] = (),
        steps: tuple[str, ...] = (),
        offline: bool = True,
    ) -> None:
        self.name, self.ask, self.after, self.steps = name, ask, after, steps
        self.offline = offline
        self.right = ""

    def look(self, subject: Subject) -> Finding | Iterable[Finding]:
        return self.ask(subject)


@pytest.fixture
def subject(bench: Workbench) -> Subject:
    return Subject(bench.pipeline(), bench.definitions())


def _states(checks: list[Check], subject: Subject, *, offline: bool = False) -> dict[str, str]:
    found = look(checks, subject, offline=offline)
    return {answer.check.name: answer.state.value for answer in found}


def test_one_cause_is_told_once(subject: Subject) -> None:
    checks: list[Check] = [
        Asks("hub", after=("token",)),
        Asks("token", after=("region",)),
        Asks("region", lambda _: failed("no.", "do")),
        Asks("git"),
    ]
    assert _states(checks, subject) == {
        "hub": "skipped",
        "token": "skipped",
        "region": "fail",
        "git": "pass",
    }


def test_a_warning_and_what_nothing_needs_stop_nobody(subject: Subject) -> None:
    checks: list[Check] = [
        Asks("region", lambda _: warned("perhaps.")),
        Asks("token", after=("region",), steps=("none",)),
        Asks("hub", after=("token",)),
    ]
    assert _states(checks, subject) == {"region": "warn", "token": "skipped", "hub": "pass"}


def test_what_is_named_after_but_not_asked_holds_nothing_up(subject: Subject) -> None:
    assert _states([Asks("hub", after=("token",))], subject) == {"hub": "pass"}


def test_offline_asks_only_what_needs_no_network(subject: Subject) -> None:
    checks: list[Check] = [Asks("memory"), Asks("logs", offline=False)]
    assert _states(checks, subject, offline=True) == {"memory": "pass", "logs": "skipped"}


def test_the_worst_finding_decides_and_all_are_kept(subject: Subject) -> None:
    findings = (passed("a."), failed("b.", "mend b"), warned("c."))
    [answer] = look([Asks("limits", lambda _: findings)], subject)
    assert answer.state is State.FAIL
    assert answer.findings == findings
    assert [each.said for each in view.worth_telling(answer)] == ["b.", "c."]


def test_what_oci_refuses_and_a_checks_own_fault_are_warnings(subject: Subject) -> None:
    def refuses(_: Subject) -> Finding:
        raise RefusedError("Could not see:\nno.", "Ask for it.", status=404)

    def breaks(_: Subject) -> Finding:
        raise KeyError("hf_secret")

    refused, broken = look([Asks("logs", refuses), Asks("hub", breaks)], subject)
    [told] = refused.findings
    assert told == warned("could not be looked at: Could not see: no.", "Ask for it.")
    [told] = broken.findings
    assert told.state is State.WARN
    assert "KeyError in test_looking.py" in told.said
    assert "hf_secret" not in told.said


def test_what_may_not_be_asked_is_told_with_the_right_that_it_takes(subject: Subject) -> None:
    def refuses(_: Subject) -> Finding:
        raise RefusedError("Could not see: no.\nopc-request-id: x", "Ask.", status=404)

    check = Asks("bucket", refuses)
    check.right = "read buckets in tenancy"
    [answer] = look([check], subject)
    assert answer.findings == (
        warned(
            "could not be looked at: Could not see: no.",
            "To look, one needs 'Allow group <yours> to read buckets in tenancy'.",
        ),
    )


def test_they_are_asked_side_by_side(subject: Subject) -> None:
    both = threading.Barrier(2, timeout=5)

    def meets(_: Subject) -> Finding:
        both.wait()
        return passed("met.")

    assert _states([Asks("a", meets), Asks("b", meets)], subject) == {"a": "pass", "b": "pass"}


def test_what_several_ask_for_is_asked_once(subject: Subject) -> None:
    asked = iter(["found", "asked again"])
    assert {subject.once("it", lambda: next(asked)) for _ in range(3)} == {"found"}
    with pytest.raises(ZeroDivisionError):
        subject.once("bad", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        subject.once("bad", lambda: 1.0)


def test_a_step_that_the_pipeline_has_not_submits_nothing(subject: Subject) -> None:
    steps = tuple(step for step in subject.pipeline if step.name != "merge")
    without = replace(subject, pipeline=replace(subject.pipeline, steps=steps))
    assert without.of_step("merge") == []
    assert [each.name for each in without.of_step("finetune")] == ["finetune"]


def test_a_terminal_shows_who_is_waited_for_and_a_pipe_nothing() -> None:
    assert view.waiting(["region", "hub"], 2) == "0 of 2 checks; waiting for region, hub"
    assert view.waiting(list("abcde"), 9) == "4 of 9 checks; waiting for a, b, c, d, …"
    check = Asks("region")
    for terminal in (True, False):
        console = Console(
            file=StringIO(), force_terminal=terminal, width=80, _environ={"TERM": "xterm"}
        )
        with view.progress(console, [check]) as told:
            told(Answer(check, (passed("yes."),)))
        assert isinstance(console.file, StringIO)
        assert ("done" in console.file.getvalue()) == terminal


def test_checks_that_build_on_each_other_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="a, b build on each other"):
        in_order([Asks("a", after=("b",)), Asks("b", after=("a",))])


def test_the_house_has_its_checks_in_an_order_that_can_be_asked() -> None:
    checks = found_checks.all_checks()
    names = [check.name for check in checks]
    assert len(names) == len(set(names)) >= 20
    assert {name for check in checks for name in check.after} <= set(names)
    assert all(check.question.endswith("?") for check in checks)
    assert all(set(check.steps) <= set(STEPS) for check in checks)
    assert len(in_order(checks)) == len(checks)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _home(self, bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tenancies").mkdir()
        (tmp_path / "tenancies" / "demo.yaml").write_text("")
        bench.write(tmp_path / "definitions" / "demo")
        checks = [
            Asks("region", lambda _: failed("The region is away.", "Take it.\nOr leave it.")),
            Asks("hub", after=("region",)),
            Asks("git", lambda _: warned("Nobody knows.", "Ask git.")),
            Asks("logs", lambda _: (passed("one."), passed("two."))),
        ]
        from jobs import preflight_command

        monkeypatch.setattr(preflight_command, "all_checks", lambda: checks)

    def test_a_line_each_with_the_remedies_under_it(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["preflight"]) == 1
        *lines, last = capsys.readouterr().out.splitlines()
        assert lines == [
            "fail     region  The region is away.",
            "                 Take it.",
            "                 Or leave it.",
            "skipped  hub     it builds on region",
            "warn     git     Nobody knows.",
            "                 Ask git.",
            "pass     logs    one; two",
        ]
        assert last.startswith("4 checks in ")
        assert last.endswith("s: 1 passed, 1 warned, 1 failed, 1 skipped.")

    def test_only_some_of_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["preflight", "--only", "git", "--only", "hub"]) == 0
        assert "region" not in capsys.readouterr().out
        assert cli.main(["preflight", "--only", "rigeon"]) == 2
        assert "There are: region, hub, git, logs" in " ".join(
            capsys.readouterr().err.replace("│", "").split()
        )

    def test_for_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["preflight", "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert (found["tenancy"], found["state"]) == ("demo", "fail")
        assert [each["state"] for each in found["checks"]] == ["fail", "skipped", "warn", "pass"]
        assert found["checks"][0]["question"] == "Is it?"
        assert found["checks"][0]["findings"] == [
            {"state": "fail", "said": "The region is away.", "remedy": "Take it.\nOr leave it."}
        ]


def test_what_may_not_be_asked_hides_no_failure_found_before(subject: Subject) -> None:
    def ask(_: Subject) -> Iterable[Finding]:
        yield failed("wrong.", "mend it")
        raise RefusedError("Could not read: OCI answered 404.", status=404)

    [answer] = look([Asks("one", ask)], subject)
    assert [each.state for each in answer.findings] == [State.FAIL, State.WARN]


def test_who_does_not_answer_is_not_waited_for(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.05)
    ended = threading.Event()
    hangs = Asks("hangs", lambda _: passed(f"{ended.wait(30)}"))
    try:
        [answer, after] = look([hangs, Asks("after", after=("hangs",))], subject)
    finally:
        ended.set()
    assert answer.state is State.WARN
    assert "did not answer within 0.05 s" in answer.findings[0].said
    assert after.state is State.PASS


def test_clients_of_preflight_give_up_sooner_than_the_runners(subject: Subject) -> None:
    region = subject.pipeline.region
    hurried, patient = (get(DataScienceClient, region) for get in (subject.client, client))
    assert hurried.base_client.timeout == (patience.CONNECT_SECONDS, patience.READ_SECONDS)
    assert patient.base_client.timeout != hurried.base_client.timeout
    assert patient.retry_strategy is None


def test_a_host_that_resets_is_given_up_in_seconds(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    found = subject.client(DataScienceClient)

    def reset(*_arguments: object, **_options: object) -> None:
        asked.append(time.monotonic())
        raise oci.exceptions.ConnectTimeout("no answer")

    monkeypatch.setattr(found.base_client, "call_api", reset)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(UnreachableError):
        subject.get("ask", found.get_project, "ocid1.project")
    assert 1 < len(asked) <= 3
    asked.clear()
    with pytest.raises(UnreachableError):
        subject.get("list", patience.every_page, found.list_projects, "ocid1.compartment")
    assert 1 < len(asked) <= 3


def test_every_page_of_a_list_is_read() -> None:
    after: dict[str | None, str | None] = {None: "two", "two": None}

    def listing(where: str, page: str | None = None) -> Any:
        left = after[page]
        return SimpleNamespace(data=[page], has_next_page=left is not None, next_page=left)

    assert patience.every_page(listing, "here").data == [None, "two"]
