"""The notebook, cell by cell, in a notebook session: with its resource principal and IAM enforced,
without Terraform or a tenancy file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.bucket_folder import BucketFolder
from jobs.clock import SystemClock
from jobs.definitions import read_pipeline, texts_in
from jobs.ledger import Ledger
from jobs.publishing import publish
from jobs.record import STEPS
from ocimock import mock_oci
from ocimock.cloud import Settings
from tests.e2e.conftest import ROOT
from tests.e2e.enforced import Way

pytestmark = pytest.mark.e2e

NOTEBOOK = ROOT / "notebooks" / "pipeline.ipynb"
_PLACEHOLDER = "oci://BUCKET@NAMESPACE/ledger/demo/"


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notebook was opened: in its folder, in a clone of the repository."""
    (tmp_path / "clone" / "notebooks").mkdir(parents=True)
    (tmp_path / "clone" / "jobs").symlink_to(ROOT / "jobs")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path / "clone" / "notebooks")
    return tmp_path / "clone"


def test_its_cells_run_the_pipeline_as_the_session_itself(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock_oci(Settings(verify_signatures=True, enforce_iam=True)) as cloud:
        way = Way(cloud, tmp_path)
        way.administrator.stand_up()
        definitions = tmp_path / "definitions"
        with way.as_person():
            way._set_secret()
            way.emit()
            ledger = read_pipeline(definitions).ledger
            publish(BucketFolder(ledger), texts_in(definitions))
        assert sum(source(each).count(_PLACEHOLDER) for each in cells()) == 1
        names: dict[str, Any] = {}
        with way.as_resource(way.places["notebook"]):
            for cell in cells():
                if cell["cell_type"] == "code":
                    code = source(cell).replace(_PLACEHOLDER, ledger)
                    exec(compile(code, cell["id"], "exec"), names)
        assert way.denials() == []
    kept = Ledger(session / ".tunestack" / "demo" / "ledger.db", SystemClock())
    assert [each.step for each in kept.read().entries.values() if each.done] == list(STEPS)
    current = kept.current()
    assert current is not None
    assert current.state == "SUCCEEDED"
    printed = capsys.readouterr().out
    assert "smoke     SUCCEEDED (simulated)" in printed
    assert names["answer"].simulated


def test_it_is_kept_without_outputs() -> None:
    for cell in cells():
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
