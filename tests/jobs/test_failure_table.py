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
