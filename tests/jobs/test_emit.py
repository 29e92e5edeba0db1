"""From a stack's outputs to files on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from jobs.definitions import FILES
from jobs.emit import emit
from jobs.errors import DefinitionError, OutputsError
from jobs.tenancy import Tenancy
from tests.jobs.samples import text

TENANCY = Tenancy("demo")
TEXTS = {name: text(Path(name).stem) for name in FILES}


def _file(folder: Path, content: Any) -> Path:
    path = folder / "outputs.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(TEXTS, id="terraform output -json definitions"),
        pytest.param({"definitions": {"value": TEXTS, "type": "map"}}, id="terraform output -json"),
        pytest.param(
            {"demo-network": {}, "demo-workbench": {"definitions": TEXTS}}, id="cdktf outputs file"
        ),
    ],
)
def test_every_form_of_outputs(form: Any, tmp_path: Path) -> None:
    written = emit(TENANCY, _file(tmp_path, form), tmp_path / "to")
    assert [path.name for path in written] == list(FILES)
    assert {path.name: path.read_text() for path in written} == TEXTS
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == sorted(FILES)


def test_a_bad_definition_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    emit(TENANCY, _file(tmp_path, TEXTS), tmp_path / "to")
    bad = {**TEXTS, "merge.yaml": TEXTS["merge.yaml"].replace("replicas", "replica")}
    bad["finetune.yaml"] = bad["finetune.yaml"].replace("13b", "7b")

    with pytest.raises(DefinitionError, match=r"merge\.yaml, line \d+"):
        emit(TENANCY, _file(tmp_path, bad), tmp_path / "to")

    assert (tmp_path / "to" / "finetune.yaml").read_text() == TEXTS["finetune.yaml"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"other": {"value": 1}}, "holds no output 'definitions'"),
        ({"definitions": {"value": {}}}, "holds no output 'definitions'"),
        ({"finetune.yaml": "kind: job"}, "holds no pipeline.yaml, stage.yaml, merge.yaml"),
    ],
)
def test_outputs_without_definitions(content: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(OutputsError, match=said):
        emit(TENANCY, _file(tmp_path, content), tmp_path / "to")


def test_outputs_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OutputsError, match="Cannot read the outputs file"):
        emit(TENANCY, tmp_path / "none.json", tmp_path)
    (tmp_path / "text.json").write_text("no json")
    with pytest.raises(OutputsError, match="is not JSON"):
        emit(TENANCY, tmp_path / "text.json", tmp_path)


def _terraform(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A terraform of our own, and a synthesized stack for it."""
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(program))
    monkeypatch.chdir(folder)
    (folder / "cdktf.out/stacks/demo-workbench").mkdir(parents=True)


def test_terraform_is_asked_for_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(TEXTS))
    _terraform(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/asked; cat {tmp_path}/answer.json')

    emit(TENANCY, None, tmp_path / "to")

    asked = (tmp_path / "asked").read_text().split()
    assert asked == [
        "-chdir=cdktf.out/stacks/demo-workbench", "output", "-no-color", "-json", "definitions",
    ]  # fmt: skip
    assert (tmp_path / "to" / "model.yaml").read_text() == TEXTS["model.yaml"]


def test_terraforms_own_words_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _terraform(
        tmp_path,
        monkeypatch,
        "printf '╷\\n│ Error: Backend initialization required\\n│ A page\\n' >&2; exit 1",
    )
    with pytest.raises(OutputsError) as caught:
        emit(TENANCY, None, tmp_path / "to")
    assert caught.value.what.endswith("demo-workbench: Backend initialization required")
    assert "cdktf deploy 'demo-workbench'" in caught.value.advice


def test_a_missing_terraform_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _terraform(tmp_path, monkeypatch, "")
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(tmp_path / "nothing" / "terraform"))
    with pytest.raises(OutputsError, match="is not installed"):
        emit(TENANCY, None, tmp_path / "to")


def test_a_stack_that_was_never_synthesized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputsError, match="no synthesized stack"):
        emit(TENANCY, None, tmp_path / "to")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
