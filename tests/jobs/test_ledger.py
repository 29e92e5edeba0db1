"""What the ledger promises: whole after anything, one writer at a time, readers that go on."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import RecordError
from jobs.ledger import Ledger
from jobs.ledger_file import FORMAT
from tests.jobs.samples import START, OwnedClock, entry


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "folder" / "ledger.db", OwnedClock())


def _child(work: Callable[[], None]) -> int:
    """Do *work* in a process of its own; its exit status, negative for a signal's number."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_nothing_is_there_before_the_first_writing(ledger: Ledger) -> None:
    assert ledger.current() is None
    assert not ledger.read().entries
    assert ledger.events() == []
    assert not ledger.path.parent.exists()


def test_a_new_pipeline_begins_with_what_stands(ledger: Ledger) -> None:
    ledger.begin("one")
    ledger.put(entry("stage"))
    ledger.note("creating job", "stage", key="k1")
    ledger.end("FAILED")
    second = ledger.begin("two", 1)
    assert (second.number, second.generation, second.state) == (2, 1, "RUNNING")
    assert list(ledger.read().entries) == ["stage"]
    assert ledger.events() == []
    assert [each.name for each in ledger.events(1)] == ["creating job"]
    assert ledger.current() == second
    first = ledger.pipelines()[1]
    assert (first.fingerprint, first.state, first.ended) == ("one", "FAILED", START)


def test_the_events_of_a_step_are_told_across_pipelines(ledger: Ledger) -> None:
    for number in (1, 2):
        ledger.begin(f"pipeline {number}")
        ledger.note("attempt", "stage", attempt=number)
        ledger.note("attempt", "merge", attempt=number)
    assert [each.details["attempt"] for each in ledger.events_of("stage")] == [1, 2]


def test_every_ocid_that_was_written_down_is_known(ledger: Ledger) -> None:
    ledger.begin("one")
    ledger.put(entry("stage", replaced=("ocid1.datasciencejob.old",)))
    ledger.note("job created", "merge", job="ocid1.datasciencejob.oc1.eu-frankfurt-1.half-made")
    ledger.forget("stage")
    ledger.begin("two")
    assert {
        "ocid1.datasciencejob.oc1.eu-frankfurt-1.half-made",
    } <= ledger.known()
    ledger.put(entry("stage", replaced=("ocid1.datasciencejob.old",)))
    assert {"ocid1.datasciencejob.w", "ocid1.datasciencejob.old"} <= ledger.known()


def test_what_is_forgotten_is_said(ledger: Ledger) -> None:
    ledger.put(entry("stage"))
    ledger.forget("stage")
    ledger.forget("stage")
    assert [each.name for each in ledger.events_of("stage")] == ["forgotten"]


def test_every_commit_is_told_and_only_after_it(ledger: Ledger) -> None:
    seen: list[int] = []
    ledger.file.on_commit = lambda: seen.append(len(ledger.events()))
    ledger.begin("one")
    ledger.note("a")
    ledger.note("b")
    assert seen == [0, 1, 2]


def test_two_processes_write_one_after_the_other(ledger: Ledger) -> None:
    def write(name: str) -> Callable[[], None]:
        def work() -> None:
            for _ in range(20):
                ledger.note(name)

        return work

    ledger.begin("one")
    other = os.fork()
    if other == 0:
        write("other")()
        os._exit(0)
    write("own")()
    assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 0
    names = [each.name for each in ledger.events()]
    assert (names.count("own"), names.count("other")) == (20, 20)


def test_who_is_killed_in_the_middle_of_a_change_leaves_the_last_one_whole(ledger: Ledger) -> None:
    def die_before_the_commit() -> None:
        with ledger.file.writing() as database:
            database.execute("UPDATE pipelines SET state = 'half'")
            # Pages on the disk already, as of a change that does not fit into the cache.
            database.execute("PRAGMA cache_spill = 1")
            os.kill(os.getpid(), signal.SIGKILL)

    ledger.begin("one")
    ledger.put(entry("stage"))
    assert _child(die_before_the_commit) == -signal.SIGKILL
    current = ledger.current()
    assert current is not None
    assert current.state == "RUNNING"
    ledger.put(entry("merge"))
    assert list(ledger.read().entries) == ["stage", "merge"]


def test_a_file_whose_maker_was_killed_at_once_is_an_empty_ledger(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.touch()
    assert ledger.current() is None
    ledger.begin("one")
    assert ledger.current() is not None


def test_readers_go_on_while_somebody_writes(ledger: Ledger) -> None:
    ledger.begin("one")
    with ledger.file.writing() as database:
        database.execute("UPDATE pipelines SET state = 'half'")
        current = ledger.current()
    assert current is not None
    assert current.state == "RUNNING"


def test_a_full_disk_is_told_and_loses_nothing(ledger: Ledger) -> None:
    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = ledger.path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with pytest.raises(RecordError, match=r"cannot be used: .*(full|I/O)"):
            ledger.note("a name that takes its place", details="x" * 100_000)

    ledger.begin("one")
    ledger.put(entry("stage"))
    assert _child(fill) == 0
    assert list(ledger.read().entries) == ["stage"]
    ledger.note("room again")
    assert ledger.events()[-1].name == "room again"


def test_a_read_only_folder_is_read_and_writing_is_refused(ledger: Ledger) -> None:
    ledger.begin("one")
    ledger.path.chmod(0o444)
    ledger.path.parent.chmod(0o555)

    def look() -> None:
        if os.geteuid() == 0:  # root writes anywhere
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        assert ledger.current() is not None
        with pytest.raises(RecordError, match="readonly") as caught:
            ledger.note("no")
        assert "make it writable" in caught.value.advice

    for folder in ledger.path.parent.parents:
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    try:
        assert _child(look) == 0
    finally:
        ledger.path.parent.chmod(0o755)


def test_another_format_is_refused(ledger: Ledger) -> None:
    ledger.begin("one")
    with sqlite3.connect(ledger.path) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    for use in (ledger.current, lambda: ledger.begin("two")):
        with pytest.raises(RecordError, match=f"has format {FORMAT + 1}; this version reads"):
            use()


def test_another_programs_database_is_refused(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    with sqlite3.connect(ledger.path) as database:
        database.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(RecordError, match="no ledger of tunestack"):
        ledger.read()
    with pytest.raises(RecordError, match="no ledger of tunestack"):
        ledger.put(entry("stage"))


def test_what_is_no_database_is_refused_and_left(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.write_text("{}" * 1000)
    with pytest.raises(RecordError, match="cannot be used: file is not a database"):
        ledger.begin("one")
    assert ledger.path.read_text() == "{}" * 1000
