"""The record of what was run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jobs.errors import RecordError, WriteError
from jobs.record import JsonRecords
from jobs.steps import where_it_ran
from tests.jobs.samples import START, entry


def test_entries_come_back_as_they_were(tmp_path: Path) -> None:
    records = JsonRecords(tmp_path / "a" / "run.json")
    first = entry("finetune", digest="d", started=START, finished=START + timedelta(hours=2))
    second = entry("deploy", "ACTIVE", replaced=("ocid1.old",), simulated=True)
    records.put(second)
    records.put(first)

    read = JsonRecords(records.path).read()

    assert dict(read.entries) == {"finetune": first, "deploy": second}
    assert list(read.entries) == ["finetune", "deploy"]
    assert read.need("deploy").made == (second.ids["deployment"], "ocid1.old")


def test_a_step_is_kept_once_and_can_be_forgotten(tmp_path: Path) -> None:
    records = JsonRecords(tmp_path / "run.json")
    records.put(entry("finetune", "IN_PROGRESS"))
    records.put(entry("finetune", "FAILED"))
    assert records.read().need("finetune").state == "FAILED"
    records.forget("finetune")
    assert records.read().get("finetune") is None


def test_a_failed_write_leaves_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = JsonRecords(tmp_path / "run.json")
    records.put(entry("finetune"))

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WriteError, match=r"Cannot write .*run\.json: No space left"):
        records.put(entry("merge"))
    monkeypatch.undo()

    assert list(records.read().entries) == ["finetune"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"Cannot write .*run\.json"):
        JsonRecords(tmp_path / "file" / "run.json").put(entry("merge"))


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", '{"format": 1}', '{"format": 1, "steps": {"a": {}}}']
)
def test_a_broken_record_is_told(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(broken)
    with pytest.raises(RecordError, match="is not a record of a run") as caught:
        JsonRecords(path).read()
    assert "Move it away" in caught.value.advice


def test_a_record_of_another_version_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"format": 7, "steps": {}}')
    with pytest.raises(RecordError, match="has format 7; this version reads 1"):
        JsonRecords(path).read()


def test_a_step_that_never_ran_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no record of 'merge'"):
        JsonRecords(tmp_path / "run.json").read().need("merge")


@pytest.mark.parametrize(
    ("details", "before", "shown"),
    [
        ("", {}, "SUCCEEDED"),
        ("Done (simulated by ocimock: no code ran).", {}, "SUCCEEDED (simulated)"),
        ("Done (run by ocimock on this machine).", {}, "SUCCEEDED (on this machine)"),
        # What is known once stays known, though OCI's later words may not say it.
        ("Done.", {"simulated": True}, "SUCCEEDED (simulated)"),
        ("Done.", {"local": True}, "SUCCEEDED (on this machine)"),
        (
            "Run by: run by ocimock on this machine",
            {"simulated": True},
            "SUCCEEDED (on this machine)",
        ),
    ],
)
def test_a_state_says_where_it_ran(details: str, before: dict[str, bool], shown: str) -> None:
    assert entry("finetune").changed(**where_it_ran(details, **before)).shown_state == shown
