"""What can go wrong, from the laptop to the served model: exit code, message and cost of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import cli
from ocimock.cloud import Settings
from tests.jobs.broken import broken, plain
from tests.jobs.failure_rows import ROWS, Row

CHECKPOINTS = "oci://demo-bucket@ocimock/checkpoints/"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_failure_is_told_and_costs_no_more_than_it_must(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        fail_runs=(row.fail_runs,) if row.fail_runs else (), run_seconds=row.run_seconds
    )
    with broken(tmp_path, monkeypatch, settings, versioned=row.versioned, pace=row.pace) as made:
        row.breaks(made)
        code = cli.main(list(row.command))
        printed = capfd.readouterr()
        assert plain(printed.err) == row.lines
        assert code == row.code
        assert "Traceback" not in printed.out
        assert made.runs() == row.runs


def test_a_training_is_asked_to_stop_before_oci_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The simulated one does not listen: OCI ends it at its 240 minutes, and that is the end."""
    settings = Settings(run_seconds=6 * 3600.0)
    with broken(tmp_path, monkeypatch, settings, pace=1.0) as made:
        made.edit(
            "stage.yaml",
            "python -m recipes.stage",
            f"python -m recipes.stage --checkpoints {CHECKPOINTS}",
        )
        made.on_sleep.append(lambda: made.cloud.advance(300.0))
        assert cli.main(["run", "--interval", "300"]) == 1
        printed = capfd.readouterr()
        assert printed.out.count("asked it to save a checkpoint and stop") == 1
        assert "exceeded the maximum runtime of 240 minute(s)" in printed.err
        assert len(made.objects("checkpoints/stop/ocid1.datasciencejobrun.")) == 1
        assert made.runs() == 1


def test_a_fallback_beyond_the_budget_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The shape that the budget allows is waited for: the dear one would end the pipeline."""
    dear, fallback = "shapeName: BM.GPU.H100.8", "stage.fallback-1.yaml"
    with broken(tmp_path, monkeypatch, Settings()) as made:
        made.edit("pipeline.yaml", "[stage.yaml]", f"[stage.yaml, {fallback}]")
        made.edit("pipeline.yaml", "spendingLimit: 500", "spendingLimit: 100")
        text = (made.home / "definitions/demo/stage.yaml").read_text(encoding="utf-8")
        start, end = text.index("      shapeConfigDetails:"), text.index("  runtime:")
        text = text[:start] + text[end:]
        (made.home / "definitions/demo" / fallback).write_text(
            text.replace("shapeName: VM.Standard.E4.Flex", dear), encoding="utf-8"
        )
        made.cloud.capacity.exhaust("VM.Standard.E4.Flex")
        assert cli.main(["run"]) == 1
        printed = capfd.readouterr()
        assert "there was no capacity for 120 minutes" in printed.err
        assert "stage: no capacity: trying again in" in printed.out
        assert fallback not in printed.out
        assert made.runs() == 12


def test_a_run_that_may_not_be_read_is_not_paid_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A 404 is OCI's word for 'not allowed' as well: what it lists is not gone."""

    def press() -> None:
        raise KeyboardInterrupt

    with broken(tmp_path, monkeypatch, Settings(run_seconds=3600.0), pace=1.0) as made:
        made.on_sleep.append(press)
        assert cli.main(["run"]) == 130
        capfd.readouterr()
        made.faults.answer("GET", "/jobRuns/ocid", 404)
        assert cli.main(["run"]) == 1
        printed = capfd.readouterr()
        assert "OCI answered 404 NotAuthorizedOrNotFound" in printed.err
        assert made.runs() == 1
