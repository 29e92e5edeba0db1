"""How a pipeline stands, and what the ledger tells of those before it."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from jobs import cli, cost, history, status_commands
from jobs.ledger import Ledger
from jobs.record import Entry, Run, as_data
from jobs.views import progress
from tests.jobs.samples import START, OwnedClock, entry, write_all

HOUR = timedelta(hours=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> OwnedClock:
    owned = OwnedClock()
    for module in ("status_commands", "session"):
        monkeypatch.setattr(f"jobs.{module}.clock", owned)
    return owned


@pytest.fixture
def ledger(tmp_path: Path, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("")
    write_all(tmp_path / "definitions" / "demo")
    return Ledger(Path(".tunestack/demo/ledger.db"), clock)


def _trained(key: str, state: str, hours: int) -> Entry:
    return entry(
        "finetune", state, key=key, submitted=START, started=START, finished=START + hours * HOUR,
        shape="VM.GPU.A10.2", replicas=6,
    )  # fmt: skip


def _attempt(ledger: Ledger, number: int, key: str) -> None:
    ledger.note(
        "attempt", "finetune", fingerprint="f", generation=0, attempt=number, key=key,
        definition=0, file="finetune.yaml", text="",
    )  # fmt: skip


def _fail(ledger: Ledger, failed: Entry, cause: str) -> None:
    ledger.note(
        "failed", "finetune", entry=as_data(Run({"finetune": failed}))["finetune"], cause=cause,
        reason="as the test asks", lines=[], advice="", submitted=True,
    )  # fmt: skip


@pytest.fixture
def failed_once(ledger: Ledger) -> Ledger:
    """A pipeline whose fine-tuning failed after an hour, and whose next try is waited for."""
    ledger.begin("f")
    _attempt(ledger, 1, "k")
    _fail(ledger, _trained("k", "FAILED", 1), "infrastructure")
    ledger.put(_trained("k", "FAILED", 1))
    until = (START + timedelta(minutes=90)).isoformat()
    ledger.note("again", "finetune", until=until, definition=0, reason="submitting again (retry 1)")
    return ledger


def test_what_is_waited_for_is_said_with_its_reason(
    failed_once: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["status", "--offline"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Pipeline 1: RUNNING, 0:00:00")
    waiting = "finetune: waiting until 13:30:00 UTC: submitting again (retry 1)"
    assert waiting in " ".join(printed.split())
    assert "Spent so far: $24.00 of $500.00." in printed
    failed_once.end("FAILED")
    assert cli.main(["status", "--offline"]) == 0
    assert "waiting" not in capsys.readouterr().out


def test_failed_attempts_are_counted_and_paid_for(
    failed_once: Ledger, clock: OwnedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    _attempt(failed_once, 2, "l")
    failed_once.put(_trained("l", "SUCCEEDED", 2))
    failed_once.end("SUCCEEDED")
    assert cli.main(["status", "--offline"]) == 0
    printed = capsys.readouterr().out
    assert "finetune (2)" in printed
    assert "waiting" not in printed
    assert "Spent so far: $72.00 of $500.00." in printed
    assert cli.main(["status", "--offline", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pipeline"]["attempts"] == {"finetune": 2}
    assert found["pipeline"]["spent_usd"] == 72.0
    assert found["spending_limit_usd"] == 500
    assert found["steps"]["finetune"]["state"] == "SUCCEEDED"


def test_a_pipeline_that_takes_over_what_is_done_ran_only_the_rest(
    ledger: Ledger, clock: OwnedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.begin("f")
    _attempt(ledger, 1, "k")
    ledger.put(_trained("k", "SUCCEEDED", 1))
    ledger.end("FAILED")
    clock.sleep(7200)
    ledger.begin("g")
    ledger.put(entry("merge", submitted=clock.now(), started=clock.now()))
    clock.sleep(60)
    ledger.end("SUCCEEDED")

    assert cli.main(["history", "--json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (newest["number"], newest["state"], newest["anew"]) == (2, "SUCCEEDED", ["merge"])
    assert (newest["spent_usd"], newest["seconds"]) == (0.0, 60)
    assert (oldest["state"], oldest["anew"], oldest["spent_usd"]) == ("FAILED", ["finetune"], 24.0)

    assert cli.main(["history"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == "2 2026-11-22 14:00:00 SUCCEEDED 0:01:00 $0.00 merge"
    assert lines[2] == "1 2026-11-22 12:00:00 FAILED 0:00:00 $24.00 finetune"


def test_the_events_of_a_pipeline(failed_once: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["history", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-22 12:00:00 finetune  attempt 1 with finetune.yaml",
        "2026-11-22 12:00:00 finetune  failed (infrastructure): as the test asks",
        "2026-11-22 12:00:00 finetune  submitting again (retry 1)",
    ]
    assert cli.main(["history", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told[1]["details"]["cause"] == "infrastructure"
    assert "text" not in told[0]["details"]  # a whole definition
    assert cli.main(["history", "7"]) == 1
    assert "There is no pipeline 7." in capsys.readouterr().err


def test_of_all_tenancies(
    failed_once: Ledger, clock: OwnedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Ledger(Path(".tunestack/prod/ledger.db"), clock)
    other.begin("f")
    other.put(entry("stage", simulated=True, submitted=START, started=START, finished=START))
    other.end("SUCCEEDED")
    assert cli.main(["status", "--all", "--offline"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "demo 1 RUNNING 0:00:00 0 done, finetune" in printed
    assert "prod 1 SUCCEEDED" in printed
    assert "$24.00" in printed
    assert cli.main(["status", "--all", "--offline", "--json"]) == 0
    assert [each["tenancy"] for each in json.loads(capsys.readouterr().out)] == ["demo", "prod"]


def test_before_anything_was_run(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pipeline"] is None
    assert cli.main(["history"]) == 0
    assert "Nothing was run yet." in capsys.readouterr().out


def test_a_refresh_writes_over_no_newer_submission(
    ledger: Ledger, clock: OwnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 'run' elsewhere may submit anew while OCI is asked: that must not be forgotten."""
    from jobs.overview import Observer

    Path("definitions/demo/pipeline.yaml").unlink()  # it names a bucket, which would be asked
    ledger.put(_trained("k", "IN_PROGRESS", 1))
    newer = entry("finetune", "ACCEPTED").changed(ids={"job": "j", "job_run": "newer"})

    def observe(self: Observer, entries: list[Entry]) -> list[Entry]:
        ledger.put(newer)
        return [each.changed(state="FAILED") for each in entries]

    monkeypatch.setattr(Observer, "observe", observe)
    monkeypatch.setattr(status_commands, "sign_in_where", lambda *entries: None)
    assert cli.main(["status"]) == 0
    assert ledger.read().need("finetune") == newer


def test_the_table_of_a_step_that_was_submitted_often() -> None:
    stream = io.StringIO()
    found = progress(Run({"finetune": _trained("k", "SUCCEEDED", 1)}), START, {"finetune": 3})
    Console(file=stream, width=80).print(found)
    assert "finetune (3)" in stream.getvalue()


@pytest.mark.parametrize(
    ("values", "spent"),
    [
        ({}, 24.0),
        ({"simulated": True}, 0.0),
        ({"local": True}, 0.0),
        ({"started": None}, 0.0),
        ({"shape": ""}, 0.0),
        ({"shape": "VM.GPU.Z"}, None),
        ({"finished": None}, 48.0),
    ],
)
def test_what_a_submission_has_cost(values: dict[str, object], spent: float | None) -> None:
    each = _trained("k", "SUCCEEDED", 1).changed(**values)
    assert cost.spent(each, START + 2 * HOUR) == spent


@pytest.mark.parametrize(
    ("so_far", "limit", "said"),
    [
        (0.0, None, ""),
        (1234.5, None, "Spent so far: $1,234.50."),
        (0.0, 10.0, "Spent so far: $0.00 of $10.00."),
    ],
)
def test_a_bill(so_far: float, limit: float | None, said: str) -> None:
    assert cost.bill(so_far, limit) == said


def test_an_event_is_a_sentence() -> None:
    from jobs.ledger import Event

    event = Event(1, 1, START, "merge", "stopped", {"reason": "it was lost 3 times"})
    assert history.words(event) == "not tried again: it was lost 3 times"
    event = Event(1, 1, START, "merge", "creating job", {"key": "k", "name": "a\nb"})
    assert history.words(event) == "creating job  name a b"
