"""Going on from what an earlier ``make demo`` left."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from demo import cases, places, up
from demo import cloud as embedded
from demo.cases import DEMO, REHEARSAL

STATE = "terraform.rehearsal-data.tfstate"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working copy in which the rehearsal was deployed, and a tenancy of the user's own."""
    monkeypatch.setattr(places, "ROOT", tmp_path)
    for module in (cases, places):
        monkeypatch.setattr(module, "FOLDER", tmp_path / ".demo")
    cases.write_down(REHEARSAL)
    for name in (STATE, "terraform.prod-data.tfstate"):
        (tmp_path / name).write_text("{}")
    for name in ("rehearsal", "prod"):
        (tmp_path / ".tunestack" / name).mkdir(parents=True)
    cloud = Mock(embedded.EmbeddedCloud, url="http://127.0.0.1:1")
    monkeypatch.setattr(embedded, "start", lambda options: cloud)
    return tmp_path


def test_what_stood_in_an_embedded_oci_that_was_killed_is_forgotten(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else Terraform asks for a vault at the port of the one that is no more, for ever."""
    monkeypatch.setattr(embedded, "running", lambda: None)
    up._cloud(DEMO, None)
    assert "had ended without make demo-down" in capsys.readouterr().out
    assert not (root / STATE).exists()
    left = sorted(path.name for path in (root / ".tunestack").iterdir())
    assert left == ["prod"]
    assert (root / "terraform.prod-data.tfstate").exists()


def test_what_stands_is_gone_on_with(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases.write_down(DEMO)
    state = root / "terraform.demo-data.tfstate"
    state.write_text("{}")
    cloud = Mock(embedded.EmbeddedCloud, url="http://127.0.0.1:2")
    monkeypatch.setattr(embedded, "running", lambda: cloud)
    assert up._cloud(DEMO, None) is cloud
    assert state.exists()
