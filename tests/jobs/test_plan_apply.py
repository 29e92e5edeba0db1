"""``jobs plan --apply``: the tenancy file has the choice afterwards, and every comment still."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.plan import plan_for
from infra.tenancy import load
from infra.tenancy.training import rows_of_a_step
from jobs import cli, plan_apply
from jobs.plan_edit import EditError, edited
from tests.jobs.test_plan import OCIDS

EXAMPLE = Path(__file__).resolve().parents[2] / "tenancies" / "example.yaml"


def _apply(file: Path, *words: str) -> int:
    return cli.main(["plan", "--tenancy", str(file), "--apply", "--yes", *words])


def _file(folder: Path, text: str) -> Path:
    path = folder / "some.yaml"
    path.write_text(OCIDS + text)
    return path


def _comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def test_only_the_choice_changes(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    before = EXAMPLE.read_text()
    file.write_text(before)
    file.chmod(0o640)
    assert _apply(file, "--shape", "BM.GPU4.8", "--replicas", "1") == 0
    after = file.read_text()
    assert _comments(after) == _comments(before)
    changed = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True)
               if old != new]  # fmt: skip
    assert changed == [
        "  replicas: 1",
        "  shape: BM.GPU4.8",
        "  batch_size: 3",
        "  gradient_accumulation: 2",
    ]
    assert file.stat().st_mode & 0o777 == 0o640
    # 48 rows a step, as the 12 GPUs took.
    assert rows_of_a_step(load(file)) == rows_of_a_step(load(EXAMPLE)) == 48
    assert list(tmp_path.iterdir()) == [file]


def test_twice_is_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _file(tmp_path, "model: 13b\n")
    assert _apply(file) == 0
    once = file.read_text()
    assert _apply(file) == 0
    assert "says that already" in capsys.readouterr().out
    assert file.read_text() == once


def test_what_the_file_did_not_say_is_added(tmp_path: Path) -> None:
    file = _file(tmp_path, "model: 13b # the larger\nregion: eu-frankfurt-1\n")
    words = ["--method", "full", "--steps", "50", "--shape", "BM.GPU.H100.8", "--replicas", "2"]
    assert _apply(file, *words) == 0
    assert file.read_text().startswith(f"{OCIDS}model: 13b # the larger\nregion: eu-frankfurt-1\n")
    finetune = load(file).finetune
    assert (finetune.shape, finetune.replicas) == ("BM.GPU.H100.8", 2)
    assert (finetune.method, finetune.max_steps) == ("full", 50)


def test_one_length_takes_the_others_place(tmp_path: Path) -> None:
    file = _file(tmp_path, "finetune:\n  # rounds\n  epochs: 5 # many\n  replicas: 6\n")
    assert _apply(file, "--steps", "50") == 0
    assert "  # rounds\n  #epochs: 5 # many\n" in file.read_text()
    assert plan_for(load(file)).epochs is None


def test_a_model_is_written_by_its_id(tmp_path: Path) -> None:
    file = _file(tmp_path, "model: '13b'\n")
    assert _apply(file, "--model", "mistralai/Mistral-7B-v0.1") == 0
    assert load(file).model == "mistralai/Mistral-7B-v0.1"


def test_too_little_storage_grows(tmp_path: Path) -> None:
    file = _file(tmp_path, "finetune:\n  method: full\n  block_storage_gb: 50\n")
    assert _apply(file, "--shape", "BM.GPU.H100.8") == 0
    assert (load(file).finetune.block_storage_gb or 0) >= 100


def test_a_serving_that_does_not_fit_moves(tmp_path: Path) -> None:
    file = _file(tmp_path, "model: 13b\nserving:\n  shape: VM.GPU.A10.1\n  tensor_parallel: 1\n")
    assert _apply(file) == 0
    served = load(file).serving
    assert (served.shape, served.tensor_parallel) == ("VM.GPU.A10.2", 2)


def test_a_serving_of_which_only_a_guess_is_made_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "model: 13b\nserving:\n  shape: VM.GPU.A10.1\n  extra_args: [--quantization, awq]\n"
    assert _apply(_file(tmp_path, text)) == 0
    assert load(tmp_path / "some.yaml").serving.shape == "VM.GPU.A10.1"
    assert "guess: serving.extra_args has --quantization awq" in capsys.readouterr().out


def test_rows_that_can_not_be_shared_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, "finetune:\n  replicas: 6\n")
    assert _apply(file, "--shape", "VM.GPU.A10.2", "--replicas", "5") == 0
    assert "A step takes 40 rows on these 10 GPUs; it took 48." in capsys.readouterr().out


def test_no_is_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, "model: 13b\n")
    before = file.read_text()
    monkeypatch.setattr("typer.confirm", lambda *_words, **_more: _abort())
    words = ["--shape", "BM.GPU4.8", "--replicas", "1"]
    assert cli.main(["plan", "--tenancy", str(file), "--apply", *words]) == 1
    assert "+  shape: BM.GPU4.8" in capsys.readouterr().out
    assert file.read_text() == before


def _abort() -> None:
    import typer

    raise typer.Abort


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("serving: &same {shape: VM.GPU.A10.2, replicas: 6}\nfinetune: *same\n", "changing more"),
        (
            "finetune:\n  replicas: 6\n  fallback_shapes: [BM.GPU.A10.4]\n",
            "one of finetune.fallback_shapes",
        ),
        ("finetune:\n  replicas: &n 6\n  epochs: *n\n", "undefined alias"),
    ],
)
def test_what_can_not_be_written_is_left(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, text)
    before = file.read_text()
    assert _apply(file, "--shape", "BM.GPU.A10.4", "--replicas", "3") == 1
    assert said in " ".join(capsys.readouterr().err.split())
    assert file.read_text() == before


def test_words_for_the_command_win(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _file(tmp_path, "finetune:\n  replicas: 6\n  extra_args: [--batch-size=4]\n")
    before = file.read_text()
    assert _apply(file, "--shape", "BM.GPU4.8", "--replicas", "1") == 1
    assert "Take it out there first: --batch-size=4." in capsys.readouterr().err
    assert file.read_text() == before


def test_a_refused_file_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """llama-recipes has no learning_rate; the file that has one can't go over to it."""
    file = _file(tmp_path, "model: 13b\nfinetune:\n  learning_rate: 0.1\n")
    before = file.read_text()
    assert _apply(file, "--recipe", "llama-recipes") == 1
    said = capsys.readouterr().err
    assert "With that, the tenancy file would be refused" in said
    assert f"{file}:" in said
    assert file.read_text() == before


def test_nothing_is_written_over_somebodys_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, "model: 13b\n")
    write = plan_apply.write

    def later(found: plan_apply.Applied) -> None:
        file.write_text(f"{found.before}prefix: other\n")
        write(found)

    monkeypatch.setattr(plan_apply, "write", later)
    assert _apply(file) == 1
    assert "was changed meanwhile" in capsys.readouterr().err
    assert file.read_text().endswith("prefix: other\n")


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("a: 1 # one\nb: 2\n", ("a",), 3, "a: 3 # one\nb: 2\n"),
        ("a: '1'\n", ("a",), "x y", "a: x y\n"),
        ("a: 1", ("b",), True, "a: 1\nb: true\n"),
        ("a: 1\r\nb: 2\r\n", ("c",), 3, "a: 1\r\nb: 2\r\nc: 3\r\n"),
        ("p: {}\n", ("p", "a"), 1, "p: {a: 1}\n"),
        ("p: {a: 1} # all\n", ("p", "b"), 2, "p: {a: 1, b: 2} # all\n"),
        ("p:\n    a: 1 # one\n# next\nq: 2\n", ("p", "b"), 2,
         "p:\n    a: 1 # one\n    b: 2\n# next\nq: 2\n"),
        ("p:\n  a:\n  - x\n  # of q\nq: 2\n", ("p", "b"), 2,
         "p:\n  a:\n  - x\n  b: 2\n  # of q\nq: 2\n"),
        ("p:\n  a: |\n    x\n\n# of q\nq: 2\n", ("p", "b"), 2,
         "p:\n  a: |\n    x\n\n  b: 2\n# of q\nq: 2\n"),
        ("finetune:\n  shape: x\n  epochs: 3\n", ("finetune", "replicas"), 2,
         "finetune:\n  shape: x\n  epochs: 3\n  replicas: 2\n"),
        ("finetune:\n  recipe: x\n  epochs: 3\n", ("finetune", "replicas"), 2,
         "finetune:\n  recipe: x\n  replicas: 2\n  epochs: 3\n"),
        ("a: 1\n", ("p", "b"), 2, "a: 1\np:\n  b: 2\n"),
        ("a: 1\nb: 2\n", ("a",), None, "#a: 1\nb: 2\n"),
        ("a: 1\n", ("p", "b"), None, "a: 1\n"),
    ],
)  # fmt: skip
def test_edits(text: str, path: tuple[str, ...], value: Any, expected: str) -> None:
    found = edited(text, {path: value})
    assert found == expected
    if value is not None:
        read = yaml.safe_load(found)
        for name in path:
            read = read[name]
        assert read == value


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("p: 1\n", ("p", "a"), 2),
        ("p: [1]\n", ("p",), 2),
        ("p: {a: 1, b: 2}\n", ("p", "a"), None),
        ("- 1\n", ("p",), 2),
    ],
)
def test_what_can_not_be_edited(text: str, path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(EditError):
        edited(text, {path: value})
