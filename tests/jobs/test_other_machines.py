"""The command line on a second machine, and beside a process that leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import cli
from jobs.clock import SystemClock
from jobs.leading import Leadership
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.workbench import Faults, Workbench


@pytest.fixture
def bench(cloud: MockedCloud) -> Workbench:
    return workbench.build(cloud)


@pytest.fixture
def machines(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """Two working folders with the same definitions; the first one has run the pipeline."""
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    first, second = tmp_path / "first", tmp_path / "second"
    for home in (first, second):
        (home / "tenancies").mkdir(parents=True)
        (home / "tenancies" / "demo.yaml").write_text("")
        bench.write(home / "definitions" / "demo")
    monkeypatch.chdir(first)
    assert cli.main(["run", "--interval", "0.1"]) == 0
    monkeypatch.chdir(second)
    return first, second


def test_a_second_machine_knows_what_the_first_one_ran(
    machines: tuple[Path, Path], cloud: MockedCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    assert "deploy" in capsys.readouterr().out
    made = [call for call in cloud.calls if call.method == "POST" and "create" in call.operation]
    assert cli.main(["run"]) == 0
    assert made == [
        call for call in cloud.calls if call.method == "POST" and "create" in call.operation
    ]
    assert "stage: done before" in capsys.readouterr().out


def test_a_second_machine_without_the_bucket_says_what_it_cannot_know(
    machines: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Faults(monkeypatch).answer("GET", "/b/demo-bucket/o", 503)
    capsys.readouterr()
    cli.main(["status"])
    told = capsys.readouterr()
    assert "503" in told.err
    assert "What other machines ran is not known here." in told.err
    assert cli.main(["run"]) == 1, "it must not pay for what may have been paid for"
    assert not (machines[1] / ".tunestack" / "demo" / "ledger.db").exists()


@pytest.mark.parametrize("command", ["submit stage", "run --fresh"])
def test_beside_a_leader_nothing_of_its_own_is_submitted(
    machines: tuple[Path, Path],
    command: str,
    cloud: MockedCloud,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_following(_clock: SystemClock, _seconds: float) -> None:
        raise AssertionError("it follows")

    monkeypatch.setattr(SystemClock, "sleep", no_following)
    before = len(cloud.calls)
    with Leadership(machines[1] / ".tunestack" / "demo", None, SystemClock(), print) as lead:
        assert lead.acquire()
        assert cli.main(command.split()) == 1
    assert "This tenancy's pipeline is led by" in capsys.readouterr().err
    assert not [call for call in cloud.calls[before:] if call.method == "POST"]
