"""The ledger's mirror in the bucket, on ocimock: written, taken over, refused, caught up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import LostLeadError, RecordError, RefusedError, StaleWriteError
from ocimock.inprocess import MockedCloud
from tests.jobs.machines import PREFIX, URI, Machine
from tests.jobs.samples import entry
from tests.jobs.workbench import BUCKET, Faults, Workbench, storage


@pytest.fixture
def there(bench: Workbench, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "there", skew=-7200)


def mirrored(cloud: MockedCloud) -> list[dict[str, Any]]:
    client = storage(cloud)
    listed = client.list_objects("ocimock", BUCKET, prefix=f"{PREFIX}pipelines/").data.objects
    found = (client.get_object("ocimock", BUCKET, each.name).data for each in listed)
    return [json.loads(each.content) for each in found]


def versions(cloud: MockedCloud) -> list[str]:
    listed = storage(cloud).list_object_versions("ocimock", BUCKET, prefix=PREFIX).data.items
    return [each.name for each in listed]


def puts(cloud: MockedCloud) -> int:
    return sum(call.method == "PUT" and "pipelines" in call.path for call in cloud.calls)


def write_run(machine: Machine) -> None:
    machine.ledger.begin("f" * 64)
    machine.ledger.note("creating job", "stage")
    machine.ledger.put(entry("stage", "ACCEPTED"))


def test_a_machine_without_a_ledger_takes_the_mirror_over(here: Machine, there: Machine) -> None:
    with here.leadership:
        assert here.leadership.acquire()
        write_run(here)
    assert not there.path.exists()
    assert there.leadership.acquire()
    assert there.ledger.read() == here.ledger.read()
    assert there.ledger.events() == here.ledger.events()
    assert there.ledger.pipelines() == here.ledger.pipelines()


def test_a_run_of_a_thousand_changes_is_few_writes_and_one_version(
    cloud: MockedCloud, here: Machine
) -> None:
    with here.leadership:
        here.leadership.acquire()
        here.ledger.begin("f" * 64)
        before = puts(cloud)
        for _ in range(100):
            here.ledger.note("looking", "stage")
        assert puts(cloud) == before
        for _ in range(10):
            here.pass_time(1)
            here.ledger.note("looking", "stage")
        assert puts(cloud) == before + 10
        here.ledger.note("the last word")
    [copy] = mirrored(cloud)
    assert copy["events"][-1]["name"] == "the last word"
    assert sorted(versions(cloud)) == [f"{PREFIX}lease.json", *_objects(cloud)]


def _objects(cloud: MockedCloud) -> list[str]:
    listed = storage(cloud).list_objects("ocimock", BUCKET, prefix=f"{PREFIX}pipelines/")
    return [each.name for each in listed.data.objects]


def test_versions_that_a_killed_process_left_are_removed(cloud: MockedCloud, here: Machine) -> None:
    for number in range(3):
        storage(cloud).put_object("ocimock", BUCKET, f"{PREFIX}lease.json", f"{number}")
    assert len(versions(cloud)) == 3
    here.leadership.acquire()
    assert versions(cloud) == [f"{PREFIX}lease.json"]


def test_what_is_about_to_happen_is_in_the_mirror_before_it_does(
    cloud: MockedCloud, here: Machine
) -> None:
    here.leadership.acquire()
    write_run(here)
    here.ledger.note("creating job", "finetune")
    here.leadership.confirm()
    [copy] = mirrored(cloud)
    assert [each["step"] for each in copy["events"]] == ["stage", "finetune"]
    assert copy["entries"]["stage"]["state"] == "ACCEPTED"


def test_a_writer_that_is_behind_is_refused(here: Machine, there: Machine) -> None:
    here.leadership.acquire()
    write_run(here)
    here.leadership.confirm()
    there.mirror.restore()
    there.ledger.note("went on there")
    there.mirror.write()
    here.pass_time(1)
    with pytest.raises(LostLeadError, match="Another machine has written this pipeline's ledger"):
        here.ledger.note("went on here")


def test_an_unreachable_bucket_is_said_once_and_caught_up(
    cloud: MockedCloud, here: Machine, faults: Faults
) -> None:
    here.leadership.acquire()
    faults.answer("PUT", "/o/", 503, times=9)
    write_run(here)
    for _ in range(6):
        here.pass_time(31)
        here.ledger.note("looking", "stage")
        here.leadership.heartbeat()
    [copy] = mirrored(cloud)
    assert copy["events"][-1]["name"] == "looking"
    told = [text for text in here.said if "written" in text]
    assert len(told) == 2
    assert "503" in told[0]
    assert "Work goes on with the ledger of this machine" in told[0]
    assert told[1] == "The ledger's mirror is written again."


def test_an_unreachable_bucket_does_not_hold_up_every_change(
    cloud: MockedCloud, here: Machine, faults: Faults
) -> None:
    here.leadership.acquire()
    faults.answer("PUT", "/o/", 503)
    write_run(here)
    for _ in range(20):
        here.pass_time(1)
        here.ledger.note("looking", "stage")
    assert len(faults.slept) == 2, "one write in half a minute, of three tries"


def test_a_write_whose_answer_was_lost_is_known_as_ones_own(
    cloud: MockedCloud, here: Machine, faults: Faults
) -> None:
    here.leadership.acquire()
    here.ledger.begin("f" * 64)
    cloud.faults.add("drop the answer of put_object")
    here.pass_time(1)
    here.ledger.note("written, but never heard of")
    assert any("Work goes on" in text for text in here.said)
    cloud.faults.clear()
    here.pass_time(31)
    here.ledger.note("and on")
    [copy] = mirrored(cloud)
    assert [each["name"] for each in copy["events"]] == ["written, but never heard of", "and on"]


def test_two_that_went_on_apart_are_merged_and_it_is_said(here: Machine, there: Machine) -> None:
    with here.leadership:
        here.leadership.acquire()
        write_run(here)
    there.mirror.restore()
    with here.leadership:
        here.leadership.acquire()
        here.ledger.note("job created", "stage", job="ocid1.job.here")
    there.ledger.note("job created", "stage", job="ocid1.job.there")
    with there.leadership:
        assert there.leadership.acquire()
        assert there.ledger.known() >= {"ocid1.job.here", "ocid1.job.there"}
    assert any("went on apart" in text for text in there.said)
    here.mirror.restore()
    assert here.ledger.events() == there.ledger.events()


def test_pipelines_begun_apart_both_stay(here: Machine, there: Machine) -> None:
    with there.leadership:
        there.leadership.acquire()
        there.ledger.begin("a" * 64)
        there.ledger.note("there")
    here.ledger.begin("b" * 64)
    here.ledger.note("here")
    with here.leadership:
        here.leadership.acquire()
    for machine in (here, there):
        machine.mirror.restore()
        assert [each.fingerprint[0] for each in machine.ledger.pipelines()] == ["b", "a"]
        assert [each.name for each in machine.ledger.events()] == ["here"]
        assert [each.name for each in machine.ledger.events(1)] == ["there"]


def test_a_mirror_of_a_later_version_stops_the_run(cloud: MockedCloud, here: Machine) -> None:
    storage(cloud).put_object(
        "ocimock", BUCKET, f"{PREFIX}pipelines/x.json", json.dumps({"format": 2})
    )
    with pytest.raises(RecordError, match=f"{URI}pipelines/x.json has format 2"):
        here.leadership.acquire()
    assert not here.leadership.held


def test_without_a_ledger_and_without_the_bucket_nothing_is_begun(
    here: Machine, faults: Faults
) -> None:
    faults.answer("GET", "/o/", 503)
    with pytest.raises(RefusedError, match="503"):
        here.leadership.acquire()
    assert not here.leadership.held


def test_with_a_ledger_of_its_own_a_machine_leads_without_the_bucket(
    cloud: MockedCloud, here: Machine, faults: Faults
) -> None:
    write_run(here)
    faults.answer("GET", "/o/", 503, times=6)
    assert here.leadership.acquire()
    here.leadership.confirm()
    here.ledger.note("on its own")
    assert mirrored(cloud) == []
    assert len(here.said) == 1
    assert "only the processes of this machine know" in here.said[0]
    for _ in range(2):
        here.pass_time(61)
        here.leadership.heartbeat()
    [copy] = mirrored(cloud)
    assert copy["events"][-1]["name"] == "on its own"
    assert len(here.said) == 1


def test_a_folder_refuses_what_does_not_replace_what_is_there(here: Machine) -> None:
    first = here.folder.write("x.json", "1", None)
    second = here.folder.write("x.json", "2", first)
    for stale in (None, first):
        with pytest.raises(StaleWriteError, match=r"x\.json was written by somebody else"):
            here.folder.write("x.json", "3", stale)
    assert here.folder.write("x.json", "2", first) == second
