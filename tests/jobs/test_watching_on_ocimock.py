"""Watching against a tenancy on ocimock: by the SDK alone, with few calls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import cli
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.ledger import Ledger
from jobs.overview import Observer
from jobs.record import STEPS
from ocimock import mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import OwnedClock, entry
from tests.jobs.test_report import Checked
from tests.ocimock.workbench import workbench as bare

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockedCloud]:
    """A mocked OCI and a folder to work in, with a tenancy's definitions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    with mock_oci() as mocked:
        bench = workbench.build(mocked)
        (tmp_path / "tenancies").mkdir()
        (tmp_path / "tenancies" / "demo.yaml").write_text("")
        bench.write(tmp_path / "definitions" / "demo")
        yield mocked


def _calls(cloud: MockedCloud, operation: str) -> int:
    return sum(call.operation.endswith(operation) for call in cloud.calls)


def test_after_a_run_all_of_it_can_be_read(
    cloud: MockedCloud, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["run", "--interval", "0.1"]) == 0
    capfd.readouterr()

    assert cli.main(["watch", "--json", "--interval", "0.1"]) == 0
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [each["step"] for each in told if each["kind"] == "state"] == list(STEPS)
    assert told[-1]["kind"] == "end"
    assert told[-1]["state"] == "SUCCEEDED"

    assert cli.main(["watch", "--all", "--json", "--interval", "0.1"]) == 0
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {each["tenancy"] for each in told[:-1]} == {"demo"}
    assert (told[-1]["kind"], told[-1]["state"], told[-1]["spent_usd"]) == ("end", "SUCCEEDED", 0)

    before = _calls(cloud, "list_job_runs"), _calls(cloud, "get_job_run")
    assert cli.main(["status"]) == 0
    assert "Pipeline 1: SUCCEEDED (simulated)" in capfd.readouterr().out
    after = _calls(cloud, "list_job_runs"), _calls(cloud, "get_job_run")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)

    assert cli.main(["logs", "deploy"]) == 0
    assert " access | POST " in capfd.readouterr().out

    assert cli.main(["history"]) == 0
    assert "stage, finetune," in capfd.readouterr().out

    assert cli.main(["report", "--to", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert Checked(page).links == []  # the console has no page of what was only played
    assert "run started" in page


def test_status_and_watch_import_no_ads(cloud: MockedCloud) -> None:
    """It takes seconds, and only who submits needs it."""
    Ledger(Path(".tunestack/demo/ledger.db"), SystemClock()).put(entry("finetune"))
    code = (
        "import sys\nfrom jobs.cli import main\n"
        "codes = [main(['status', '--offline']), main(['history'])]\n"
        "import jobs.overview, jobs.pipeline_watch, jobs.report_command, jobs.run_log\n"
        "print(codes, sorted({'ads', 'pandas', 'matplotlib'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 0] []"


def test_many_runs_are_observed_by_one_call() -> None:
    with mock_oci() as cloud:
        sign_in()
        bench = bare(cloud)
        job = bench.job()
        runs = [bench.run(job) for _ in range(20)]
        entries = [
            entry("finetune", "ACCEPTED").changed(ids={"job": job.id, "job_run": run.id})
            for run in runs
        ]
        clock = OwnedClock()
        observer = Observer(clock)
        observer.observe([each.changed(state="IN_PROGRESS") for each in entries[:1]])
        clock.sleep(10)
        before = len(cloud.calls)
        seen = observer.observe(entries)
        assert [each.state for each in seen] == ["SUCCEEDED"] * 20
        assert [call.operation.rpartition(".")[2] for call in cloud.calls[before:]] == [
            "list_job_runs"
        ]


def test_what_oci_has_no_more_is_deleted() -> None:
    with mock_oci() as cloud:
        sign_in()
        bench = bare(cloud)
        gone = bench.job().id.replace("datasciencejob.", "datasciencejobrun.")
        run = bench.run(bench.job())
        entries = [
            entry("finetune").changed(ids={"job": "j", "job_run": each}) for each in (gone, run.id)
        ]
        seen = Observer(SystemClock()).observe(entries)
        assert [each.state for each in seen] == ["DELETED", "SUCCEEDED"]
