"""Exit codes: 2 is drift and nothing else, or a pipeline would open issues about a typo."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops import drift, stacks
from gitops.cli import main
from gitops.drift import StackDrift
from tests.gitops.documents import document, plan_of, resource, stack


@pytest.mark.parametrize(
    ("found", "code"),
    [(None, 0), (document(resource("oci_x.y", "update"), configuration={}), 2)],
)
def test_drift(
    found: dict[str, object] | None,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    looked = [StackDrift(plan_of(stack(), found))]
    monkeypatch.setattr(stacks, "synthesize", lambda tenancy: [stack()])
    monkeypatch.setattr(drift, "look", lambda *_: looked)
    folder = tmp_path / "drift"
    folder.mkdir()
    assert main(["drift", "--to", str(folder), "--tenancy", "tenancies/demo.yaml"]) == code
    assert (folder / "drift.md").read_text() in capsys.readouterr().out
    assert (folder / "drift.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drift", "--too", "x"], "No such option"),
        (["drift", "--tenancy", "tenancies/none.yaml"], "tenancies/none.yaml: no such file"),
        (["nothing"], "No such command"),
    ],
)
def test_a_mistake_is_no_drift(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    printed = "".join(capsys.readouterr())
    assert said in printed
    assert "Traceback" not in printed
