"""Taking the demo down when something is in the way."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from demo import cases, down, hub_process, places
from demo import cloud as embedded
from demo.errors import LeftoversError, StepFailedError
from demo.standing import described


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A demo whose deploy stands in a folder of its own; what stops its server."""
    for module in (down, places):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "FOLDER", tmp_path / ".demo")
    for name in ("terraform.demo-data.tfstate", ".terraform.demo-data.tfstate.lock.info"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "cdktf.out" / "stacks" / "demo-data").mkdir(parents=True)
    (tmp_path / "cdktf.out" / "manifest.json").write_text("{}")
    stop = Mock()
    cloud = Mock(embedded.EmbeddedCloud, standing=Mock(return_value={"bucket": 1}))
    monkeypatch.setattr(embedded, "running", lambda: cloud)
    monkeypatch.setattr(cases, "FOLDER", tmp_path / ".demo")
    monkeypatch.setattr(hub_process, "FOLDER", tmp_path / ".demo")
    monkeypatch.setattr(embedded, "stop", stop)
    monkeypatch.setattr(down, "choose_provider", lambda forced: {})
    return stop


@pytest.mark.parametrize(
    ("destroy", "said"),
    [
        (Mock(side_effect=StepFailedError("cdktf destroy '*'", 1, "409 Conflict")), "409 Conflict"),
        (Mock(), "still standing after the destroy: 1 bucket"),
    ],
)
def test_what_is_in_the_way_is_told_with_a_way_out(
    destroy: Mock, said: str, stopped: Mock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(down, "destroy", destroy)
    with pytest.raises(LeftoversError, match=said) as caught:
        down.run()
    assert "demo down --force" in caught.value.advice
    assert (tmp_path / "terraform.demo-data.tfstate").exists()
    stopped.assert_not_called()


def test_force_ends_it_all(stopped: Mock, tmp_path: Path) -> None:
    down.run(force=True)
    stopped.assert_called_once()
    assert list(tmp_path.iterdir()) == []


def test_another_tenancys_stacks_stay(stopped: Mock, tmp_path: Path) -> None:
    theirs = tmp_path / "cdktf.out" / "stacks" / "prod-data"
    theirs.mkdir()
    down.run(force=True)
    stopped.assert_called_once()
    assert sorted(tmp_path.rglob("*")) == [
        tmp_path / "cdktf.out", tmp_path / "cdktf.out" / "manifest.json", theirs.parent, theirs,
    ]  # fmt: skip


def test_what_stands_in_a_readers_words() -> None:
    assert described(
        {"vcn": 1, "policy": 3, "dynamicgroup": 1, "vaultsecret": 1, "newkind": 2}
    ) == {
        "network": "1 VCN",
        "data": "1 secret",
        "identity": "1 dynamic group, 3 policies",
        "other": "2 newkind",
    }
