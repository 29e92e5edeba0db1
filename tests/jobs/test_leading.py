"""Who leads: by a lock on one machine, by a lease in the bucket between several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs import lead_lock
from jobs.errors import LeadError, LostLeadError, UnreachableError, WriteError
from jobs.lease import RENEWAL_SECONDS, SECONDS
from ocimock.inprocess import MockedCloud
from tests.jobs.machines import PREFIX, Machine
from tests.jobs.workbench import BUCKET, Faults, Workbench, storage

_HOLDER = """
import sys, time
from pathlib import Path
from jobs.clock import SystemClock
from jobs.leading import Leadership
lead = Leadership(Path(sys.argv[1]), None, SystemClock(), print)
print(lead.acquire(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def there(bench: Workbench, tmp_path: Path) -> Machine:
    """Its clock is two hours ahead: that must not make anybody's lease old."""
    return Machine(tmp_path / "there", skew=7200)


@contextmanager
def holding(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that leads in *folder*."""
    command = [sys.executable, "-c", _HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            process.kill()


def test_of_two_processes_of_a_machine_one_leads_until_it_dies(tmp_path: Path) -> None:
    mine = Machine(tmp_path, mirrored=False)
    with holding(tmp_path) as process:
        assert not mine.leadership.acquire()
        leader = mine.leadership.leader()
        assert leader is not None
        assert leader.pid == process.pid
        assert f"process {process.pid} on {os.uname().nodename}" in str(leader)
        with pytest.raises(LeadError, match=f"led by .* process {process.pid} on"):
            mine.leadership.require()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert mine.leadership.leader() is None
        assert mine.leadership.acquire()


def test_asking_who_leads_keeps_nobody_from_leading(tmp_path: Path) -> None:
    mine, other = Machine(tmp_path, mirrored=False), Machine(tmp_path, mirrored=False)
    assert other.leadership.leader() is None
    assert mine.leadership.acquire()
    assert other.leadership.leader() is not None
    assert other.leadership.leader() == other.leadership.leader()
    mine.leadership.release()
    assert other.leadership.acquire()


def test_a_folder_that_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"Cannot write .*file/leader: File exists"):
        Machine(tmp_path / "file", mirrored=False).leadership.acquire()


def test_of_two_machines_one_leads_whatever_their_clocks_say(here: Machine, there: Machine) -> None:
    assert here.leadership.acquire()
    assert not there.leadership.acquire()
    leader = there.leadership.leader()
    assert leader is not None
    assert leader.pid == os.getpid()
    assert not there.leadership.held
    here.leadership.release()
    assert there.leadership.leader() is None
    assert there.leadership.acquire()


def test_a_silent_leader_is_followed_by_another_and_stops_before_it_submits(
    cloud: MockedCloud, here: Machine, there: Machine
) -> None:
    here.leadership.acquire()
    here.ledger.begin("f" * 64)
    cloud.advance(SECONDS - 10)
    assert not there.leadership.acquire()
    cloud.advance(20)
    assert there.leadership.acquire()
    with pytest.raises(LostLeadError, match="The lead was taken over by"):
        here.leadership.confirm()
    here.pass_time(RENEWAL_SECONDS)
    with pytest.raises(LostLeadError, match="silent for more than 5 minutes"):
        here.leadership.heartbeat()
    here.leadership.release()
    there.leadership.confirm()


def test_a_heartbeat_keeps_the_lead(cloud: MockedCloud, here: Machine, there: Machine) -> None:
    here.leadership.acquire()
    for _ in range(3):
        cloud.advance(SECONDS - 10)
        here.pass_time(SECONDS - 10)
        here.leadership.heartbeat()
        assert not there.leadership.acquire()


def test_a_heartbeat_between_two_renewals_asks_nobody(cloud: MockedCloud, here: Machine) -> None:
    here.leadership.acquire()
    before = len(cloud.calls)
    for _ in range(5):
        here.pass_time(RENEWAL_SECONDS / 6)
        here.leadership.heartbeat()
    assert len(cloud.calls) == before


def test_a_killed_leader_of_the_same_machine_is_not_waited_for(
    cloud: MockedCloud, here: Machine, tmp_path: Path
) -> None:
    here.leadership.acquire()
    here.leadership._lock.release()  # as its death does; the lease stays
    again = Machine(tmp_path / "here")
    assert again.leadership.acquire()


def test_of_two_that_take_a_dead_leaders_place_one_gets_it(
    cloud: MockedCloud, here: Machine, there: Machine, tmp_path: Path
) -> None:
    dead = Machine(tmp_path / "dead")
    dead.leadership.acquire()
    cloud.advance(SECONDS + 1)
    # Both have read the old lease when the first one writes.
    read = there.folder.read

    def slow(name: str) -> object:
        found = read(name)
        assert here.leadership.acquire()
        return found

    there.folder.read = slow  # type: ignore[assignment]
    assert not there.leadership.acquire()


def test_a_heartbeat_outlives_an_unreachable_bucket_but_nothing_is_submitted(
    here: Machine, faults: Faults
) -> None:
    here.leadership.acquire()
    faults.answer("PUT", "/o/", 503, times=6)
    here.pass_time(RENEWAL_SECONDS)
    here.leadership.heartbeat()
    with pytest.raises(UnreachableError, match="leads still cannot be known"):
        here.leadership.confirm()
    here.leadership.confirm()


def test_what_is_no_lease_keeps_nobody_from_leading(cloud: MockedCloud, here: Machine) -> None:
    storage(cloud).put_object("ocimock", BUCKET, f"{PREFIX}lease.json", "half of on")
    assert here.leadership.acquire()


def test_a_clock_that_is_set_back_keeps_the_lead(here: Machine, there: Machine) -> None:
    """The lease goes on being renewed, and what happens is still written to the mirror."""
    assert here.leadership.acquire()
    before = here.folder.read("lease.json")
    here.pass_time(-3600)
    here.leadership.heartbeat()
    after = here.folder.read("lease.json")
    assert before
    assert after
    assert after.etag != before.etag
    here.ledger.note("seen after that", "stage")
    here.leadership.heartbeat()
    there.mirror.restore()
    assert [each.name for each in there.ledger.events()] == ["seen after that"]


def test_who_leads_is_seen_from_a_folder_that_cannot_be_written(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, text: str) -> None:
        raise WriteError(f"Cannot write {path}: Read-only file system.")

    assert here.leadership.acquire()
    monkeypatch.setattr(lead_lock, "write_atomically", refuse)
    leader = there.leadership.leader()
    assert leader is not None
    assert leader.pid == os.getpid()
