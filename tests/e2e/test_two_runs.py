"""Two ``jobs run`` at once, as real processes: one of everything, whoever dies in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.lease import SECONDS
from ocimock import ServedCloud
from tests.e2e.conftest import ROOT
from tests.jobs import workbench
from tests.servers import running_server

pytestmark = pytest.mark.e2e

_RUN_SECONDS = 40
_MADE = ("create_job", "create_job_run", "create_model", "create_model_deployment")
ONE_OF_EVERYTHING = sorted(["create_job", "create_job_run"] * 3 + [*_MADE[2:]])


@dataclass
class Running:
    """A ``jobs run``; *lines* is what it has said so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def until(self, words: str) -> None:
        """Read on to the line with *words*."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"'{words}' was not said:\n{''.join(self.lines)}")

    def end(self) -> int:
        out, _ = self.process.communicate()
        self.lines.append(out)
        return self.process.returncode

    @property
    def said(self) -> str:
        return "".join(self.lines)


class Site:
    """A server, and machines: working folders with the same definitions."""

    def __init__(self, server: ServedCloud, folder: Path) -> None:
        self.cloud = server
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self._bench = workbench.build(server)

    def machine(self, name: str) -> Path:
        home = self._folder / name
        (home / "tenancies").mkdir(parents=True)
        (home / "tenancies" / "demo.yaml").write_text("")
        self._bench.write(home / "definitions" / "demo")
        return home

    def run(self, machine: Path) -> Running:
        environment = {
            **os.environ, **self.cloud.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200",
        }  # fmt: skip
        environment.pop("TUNESTACK_TENANCY", None)
        command = [sys.executable, "-u", "-m", "jobs", "run", "--interval", "0.1"]
        process = subprocess.Popen(
            command, cwd=machine, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._processes.append(process)
        return Running(process)

    def next_run(self) -> None:
        """Let the time pass that a job run takes."""
        self.cloud.advance(_RUN_SECONDS + 1)

    def made(self) -> list[str]:
        return sorted(
            each.operation
            for each in self.cloud.calls
            if each.operation in _MADE and each.status < 300
        )

    def leave(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with running_server(tmp_path / "server", "--run-seconds", str(_RUN_SECONDS)) as server:
        served = ServedCloud(server)
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        made = Site(served, tmp_path)
        try:
            yield made
        finally:
            made.leave()


def begin(site: Site, first: Path, second: Path) -> tuple[Running, Running]:
    """One that leads, in the middle of its first step, and one that follows."""
    leader = site.run(first)
    leader.until("stage     ACCEPTED")
    follower = site.run(second)
    follower.until("leads this pipeline: following it")
    assert f"process {leader.process.pid} on" in follower.said
    return leader, follower


def finish(site: Site, leading: Running, *others: Running) -> None:
    """Let one run after the other end; the processes end with the last step."""
    for begun in ("finetune  ACCEPTED", "merge     ACCEPTED", "deploy    CREATING"):
        leading.until(begun)
        site.next_run()
    for each in (leading, *others):
        assert each.end() == 0, each.said
        assert "deploy    ACTIVE (simulated)" in each.said
        assert "smoke     SUCCEEDED (simulated)" in each.said
    assert site.made() == ONE_OF_EVERYTHING


def test_of_two_machines_one_leads_and_the_other_follows_to_the_end(site: Site) -> None:
    leader, follower = begin(site, site.machine("one"), site.machine("two"))
    site.next_run()
    finish(site, leader, follower)


@pytest.mark.parametrize("machines", [1, 2])
def test_the_follower_of_a_killed_leader_leads_on(site: Site, machines: int) -> None:
    first = site.machine("one")
    leader, follower = begin(site, first, first if machines == 1 else site.machine("two"))
    leader.process.kill()
    leader.end()
    # On one machine a leader's death is seen at once; on another the lease has to run out.
    site.cloud.advance(_RUN_SECONDS + 1 if machines == 1 else SECONDS + 1)
    follower.until("The leader is gone: this process leads on.")
    finish(site, follower)
