"""A run's log through OCI Logging: by node, by time, a page at a time, and each line once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import oci
import pytest

from jobs import run_log
from jobs.auth import client, sign_in
from jobs.record import Entry
from jobs.run_log import OVERLAP, LogLine, Reader, moment, tail
from ocimock import mock_oci
from tests.jobs.samples import entry
from tests.ocimock.workbench import Workbench, make_log, workbench

NOW = datetime.now(UTC)


@pytest.fixture
def bench() -> Iterator[Workbench]:
    with mock_oci() as mocked:
        sign_in()
        yield workbench(mocked)


@pytest.fixture
def trained(bench: Workbench) -> Entry:
    """A simulated run of six nodes that is over."""
    job = bench.science.create_job(bench.nodes_details(6)).data
    bench.science.create_job_artifact(job.id, b"artifact")
    run = bench.run(job)
    assert bench.science.get_job_run(run.id).data.lifecycle_state == "SUCCEEDED"
    return entry("finetune").changed(ids={"job": job.id, "job_run": run.id})


def _write(bench: Workbench, source: str, log: str, *lines: tuple[str, datetime]) -> None:
    models = oci.loggingingestion.models
    batch = models.LogEntryBatch(
        source=source,
        type="com.oraclecloud.datascience.jobrun.stdout",
        defaultlogentrytime=NOW,
        entries=[models.LogEntry(data=text, id=text, time=at) for text, at in lines],
    )
    client(oci.loggingingestion.LoggingClient).put_logs(
        log, models.PutLogsDetails(specversion="1.0", log_entry_batches=[batch])
    )


def test_the_lines_of_all_nodes_come_in_their_order_and_say_whose_they_are(trained: Entry) -> None:
    lines = tail(trained)
    assert [line.time for line in lines] == sorted(line.time for line in lines)
    assert {line.node for line in lines} == set("012345")
    assert lines[0].label == "n0"
    assert "infrastructure provisioned" in lines[0].text


def test_one_node_and_the_last_lines_of_it(trained: Entry) -> None:
    third = tail(trained, node=3)
    assert {line.node for line in third} == {"3"}
    assert tail(trained, 2, node=3) == third[-2:]


def test_a_log_of_more_than_a_page_is_read_whole(
    trained: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "PAGE", 5)
    whole = tail(trained)
    assert len(whole) == 24
    assert tail(trained, 7) == whole[-7:]


def test_only_what_was_written_since(bench: Workbench, trained: Entry) -> None:
    run = trained.ids["job_run"]
    now = datetime.now(UTC)
    old, new = now - timedelta(hours=1), now - timedelta(minutes=5)
    _write(bench, run, bench.log, ("old", old), ("new", new))
    _write(bench, "ocid1.datasciencejobrun.another", bench.log, ("another's", new))
    since = now - timedelta(minutes=10)
    mine = [line.text for line in tail(trained, since=since) if not line.node]
    assert mine == ["new"]


def test_a_search_looks_through_two_weeks_at_a_time() -> None:
    start = datetime.now(UTC) - timedelta(days=30)
    windows = list(run_log._windows(start))
    assert len(windows) == 3
    assert windows[-1][0] == start
    assert all(end - begin <= timedelta(days=14) for begin, end in windows)
    assert [begin for begin, _ in windows[:-1]] == [end for _, end in windows[1:]]


def test_a_deployments_logs_are_read_together(bench: Workbench) -> None:
    models = oci.data_science.models
    group, predict = make_log(bench.mocked, "predict")
    logs = {
        "access": models.LogDetails(log_group_id=bench.group, log_id=bench.log),
        "predict": models.LogDetails(log_group_id=group, log_id=predict),
    }
    served = bench.deploy(bench.model().id, category_log_details=models.CategoryLogDetails(**logs))
    now = datetime.now(UTC)
    _write(bench, served.id, predict, ("answered", now + timedelta(minutes=2)))
    _write(bench, served.id, bench.log, ("POST /predict", now + timedelta(minutes=1)))
    found = [
        (line.label, line.text)
        for line in tail(entry("deploy").changed(ids={"deployment": served.id}))
    ]
    assert found == [("access", "POST /predict"), ("predict", "answered")]


def _line(text: str, at: datetime) -> LogLine:
    return LogLine(text, at.isoformat(), text)


def test_a_reader_gives_each_line_once_and_asks_for_no_more_than_it_must() -> None:
    first, late, last = _line("a", NOW), _line("late", NOW - timedelta(seconds=90)), _line("b", NOW)
    answers = iter([[first], [late, first], [], [late, first, last]])
    asked: list[tuple[int | None, datetime | None]] = []

    def read(
        seen: Entry, limit: int | None, since: datetime | None, node: int | None
    ) -> list[LogLine]:
        asked.append((limit, since))
        return next(answers)

    reader = Reader(read=read)
    got = [[line.text for line in reader.new(entry("finetune"), 100)] for _ in range(4)]

    assert got == [["a"], ["late"], [], ["b"]]
    assert asked == [(100, None), *[(None, NOW - OVERLAP)] * 3]


def test_what_a_reader_remembers_does_not_grow() -> None:
    """A run of days writes millions of lines: only those that may come again are remembered."""
    clock = [NOW]

    def read(*_: object) -> list[LogLine]:
        clock[0] += timedelta(minutes=1)
        return [_line(str(clock[0]), clock[0])]

    reader = Reader(read=read)
    for _ in range(1000):
        assert len(reader.new(entry("finetune"))) == 1
    assert len(reader._seen) <= 4


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-11-22T12:00:00.5") == datetime(2026, 11, 22, 12, 0, 0, 500_000, UTC)
    assert moment("2026-11-22T12:00:00Z") == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moment("yesterday") is None


def test_the_first_cause_is_found_before_a_thousand_lines_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """48 ranks that lost a peer write more than a page; what is older than half an hour is not of
    the failure, unless little else was written."""

    def lines(*spans: tuple[int, int, str]) -> list[LogLine]:
        return [
            LogLine(str(number), (NOW + timedelta(minutes=minute)).isoformat(), text)
            for minute, count, text in spans
            for number in range(count)
        ]

    def told(*spans: tuple[int, int, str]) -> list[str]:
        monkeypatch.setattr(run_log, "tail", lambda seen, limit: lines(*spans)[-limit:])
        return run_log.last_words(entry("finetune", "FAILED"))

    found = told((0, 5, "survived"), (50, 1, "CUDA error"), (60, 4000, "frame"))
    assert found[:2] == ["CUDA error", "frame"]
    assert len(found) == 4001
    assert told((0, 5, "the only words"), (60, 2, "frame"))[0] == "the only words"
    assert told() == []
