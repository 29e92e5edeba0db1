"""Which provider a demo takes, with a prober of our own: no test asks the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocimock.terraform.choose import Kind, choose, plugin_folders
from ocimock.terraform.mirror import install, plugin_path


def _never() -> bool:
    pytest.fail("nobody needs to ask the registry")


def _plugin(folder: Path, content: bytes) -> Path:
    plugin = plugin_path(folder)
    plugin.parent.mkdir(parents=True)
    plugin.write_bytes(content)
    return folder


@pytest.mark.parametrize("kind", list(Kind))
def test_a_forced_choice_asks_nobody(kind: Kind) -> None:
    choice = choose(kind, folders=[], registry_answers=_never)
    assert choice.kind is kind
    assert "asked for" in choice.reason


def test_a_plugin_on_the_disk_is_taken(tmp_path: Path) -> None:
    folder = _plugin(tmp_path / "cache", b"\x7fELF")
    choice = choose(folders=[tmp_path / "empty", folder], registry_answers=_never)
    assert choice.kind is Kind.REAL
    assert str(folder) in choice.reason


@pytest.mark.parametrize("answers", [True, False])
def test_else_the_registry_decides(tmp_path: Path, answers: bool) -> None:
    choice = choose(folders=[tmp_path], registry_answers=lambda: answers)
    assert choice.kind is (Kind.REAL if answers else Kind.STAND_IN)
    assert "registry.terraform.io" in choice.reason


def test_the_stand_in_in_a_cache_is_not_taken_for_the_real_one(tmp_path: Path) -> None:
    install(tmp_path)
    choice = choose(folders=[tmp_path / "mirror"], registry_answers=lambda: False)
    assert choice.kind is Kind.STAND_IN


def test_terraforms_own_folders_are_looked_into() -> None:
    folders = plugin_folders({"HOME": "/home/me", "TF_PLUGIN_CACHE_DIR": "/cache"})
    assert folders[0] == Path("/cache")
    assert Path("/home/me/.terraform.d/plugins") in folders
