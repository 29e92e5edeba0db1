"""jobs logs: of a node, since when, as it grows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs import cli, log_commands, states
from jobs.ledger import Ledger
from jobs.record import Entry
from jobs.run_log import LogLine, Reader
from tests.jobs.samples import START, OwnedClock, entry

LINES = [
    LogLine("1", "2026-11-22T12:00:00Z", "[node 3 of node-group] hello", node="3"),
    LogLine("2", "2026-11-22T12:00:01Z", "world"),
]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Reader]:
    """The readers that were asked; what they give is :data:`LINES`, once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("")
    clock = OwnedClock()
    ledger = Ledger(Path(".tunestack/demo/ledger.db"), clock)
    ledger.put(entry("finetune", "IN_PROGRESS", started=START))
    ledger.put(entry("deploy", "ACTIVE", started=START))
    ledger.put(entry("register"))
    found: list[Reader] = []

    def new(reader: Reader, seen: Entry, limit: int | None = None) -> list[LogLine]:
        found.append(reader)
        return LINES if len(found) == 1 else []

    monkeypatch.setattr(Reader, "new", new)
    monkeypatch.setattr(log_commands, "clock", clock)
    monkeypatch.setattr(log_commands, "sign_in_where", lambda *entries: None)
    return found


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("10m", START - timedelta(minutes=10)),
        ("1h", START - timedelta(hours=1)),
        ("2d", START - timedelta(days=2)),
        ("2026-11-22T11:00", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        ("2026-11-22T11:00+02:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
    ],
)
def test_since_when(since: str, moment: datetime, asked: list[Reader]) -> None:
    assert cli.main(["logs", "finetune", "--node", "3", "--since", since]) == 0
    assert [(each.node, each.since) for each in asked] == [(3, moment)]


def test_what_is_no_time(asked: list[Reader], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["logs", "finetune", "--since", "yesterday"]) == 2
    assert "'yesterday' is no time" in capsys.readouterr().err


def test_lines_name_their_node_once(
    asked: list[Reader], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["logs", "finetune"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-22T12:00:00Z n3 | hello",
        "2026-11-22T12:00:01Z world",
    ]


def test_for_programs(asked: list[Reader], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["logs", "deploy", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["node"] for each in found] == ["3", ""]


def test_a_log_is_followed_until_the_step_has_ended(
    asked: list[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = iter(["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"])
    monkeypatch.setattr(states, "observe", lambda seen: seen.changed(state=next(coming)))
    assert cli.main(["logs", "finetune", "--follow"]) == 0
    assert len(asked) == 3
    assert len({id(reader) for reader in asked}) == 1


def test_a_deployments_log_goes_on_until_it_is_interrupted(
    asked: list[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def observe(seen: Entry) -> Entry:
        if next(looks) == 2:
            raise KeyboardInterrupt
        return seen

    monkeypatch.setattr(states, "observe", observe)
    assert cli.main(["logs", "deploy", "--follow"]) == 130
    assert len(asked) == 2


def test_a_model_has_no_log(asked: list[Reader], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["logs", "register"]) == 1
    assert "'register' is no job run" in capsys.readouterr().err
