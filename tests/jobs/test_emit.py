"""From a stack's outputs to files on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs import emit as emission
from jobs.definitions import FILES
from jobs.emit import changes, emit
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


def _with_fallbacks(*numbers: int) -> dict[str, str]:
    """The samples, with so many fallbacks of the training."""
    names = [f"finetune.fallback-{number}.yaml" for number in numbers]
    listed = TEXTS["pipeline.yaml"].replace(
        "[finetune.yaml]", f"[{', '.join(['finetune.yaml', *names])}]"
    )
    return {**TEXTS, "pipeline.yaml": listed, **dict.fromkeys(names, TEXTS["finetune.yaml"])}


def test_fallbacks_come_and_go(tmp_path: Path) -> None:
    to = tmp_path / "to"
    emit(TENANCY, _file(tmp_path, _with_fallbacks(1, 2)), to)
    (to / "notes.yaml").write_text("mine: true\n")
    (to / "finetune.fallback-x.yaml").write_text("mine: true\n")

    written = emit(TENANCY, _file(tmp_path, _with_fallbacks(1)), to)

    assert "finetune.fallback-1.yaml" in {path.name for path in written}
    left = {path.name for path in to.iterdir()} - set(FILES)
    assert left == {"finetune.fallback-1.yaml", "finetune.fallback-x.yaml", "notes.yaml"}


def test_a_pipeline_that_names_what_is_not_emitted(tmp_path: Path) -> None:
    outputs = _with_fallbacks(1)
    del outputs["finetune.fallback-1.yaml"]
    with pytest.raises(DefinitionError, match=r"there is no 'finetune\.fallback-1\.yaml' beside"):
        emit(TENANCY, _file(tmp_path, outputs), tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_pipeline_is_written_after_what_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed between two files leaves a pipeline whose files are all there."""
    written: list[str] = []
    monkeypatch.setattr(emission, "write_atomically", lambda path, _: written.append(path.name))
    emit(TENANCY, _file(tmp_path, _with_fallbacks(1)), tmp_path)
    assert written[-1] == "pipeline.yaml"
    assert len(written) == len(FILES) + 1


def test_what_differs_from_the_stacks_is_shown_and_left(tmp_path: Path) -> None:
    to = tmp_path / "to"
    emit(TENANCY, _file(tmp_path, _with_fallbacks(1)), to)
    assert changes(TENANCY, _file(tmp_path, _with_fallbacks(1)), to) == []
    mine = (to / "merge.yaml").read_text().replace("replicas: 1", "replicas: 2")
    (to / "merge.yaml").write_text(mine)
    (to / "model.yaml").unlink()

    found = {change.path.name: change.difference for change in changes(
        TENANCY, _file(tmp_path, TEXTS), to
    )}  # fmt: skip

    assert sorted(found) == [
        "finetune.fallback-1.yaml", "merge.yaml", "model.yaml", "pipeline.yaml",
    ]  # fmt: skip
    assert "-      replicas: 2\n+      replicas: 1" in found["merge.yaml"]
    assert "\n+kind: datascienceModel" in found["model.yaml"]
    assert "\n-kind: job" in found["finetune.fallback-1.yaml"]
    assert (to / "merge.yaml").read_text() == mine
    assert not (to / "model.yaml").exists()


def test_the_check_says_by_its_exit_code_whether_the_files_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("model: 13b\n")
    outputs = str(_file(tmp_path, TEXTS))
    command = ["emit", "--tenancy", "tenancies/demo.yaml", "--outputs", outputs]
    assert cli.main(command) == 0
    capsys.readouterr()

    assert cli.main([*command, "--check"]) == 0
    assert capsys.readouterr().out == "definitions/demo is what demo-workbench emits.\n"

    merge = tmp_path / "definitions" / "demo" / "merge.yaml"
    merge.write_text(TEXTS["merge.yaml"] + "# mine\n")
    assert cli.main([*command, "--check"]) == 1
    printed = capsys.readouterr()
    assert "\n-# mine\n" in printed.out
    assert printed.err.splitlines() == [
        "definitions/demo is not what demo-workbench emits: merge.yaml.",
        "Write it with 'python -m jobs emit --tenancy tenancies/demo.yaml'.",
    ]
    assert merge.read_text().endswith("# mine\n")


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
