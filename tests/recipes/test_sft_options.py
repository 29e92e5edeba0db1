"""recipes.sft refuses what cannot work before any rank waits for another, and in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jobs.recipes.sft.__main__ import main
from jobs.recipes.sft.errors import UsageError
from jobs.recipes.sft.options import parse
from tests.recipes import tiny


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder, train=12, validation=4)
    return folder


def arguments(made: Path, *more: str) -> list[str]:
    return [
        *("--model", str(made / "base"), "--data", str(made / "data")),
        *("--output", str(made / "out"), "--scratch", str(made), "--max-length", "512"),
        *more,
    ]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--epochs", "0"), "--epochs is 0; it must be 1 or more"),
        (("--max-steps", "0"), "--max-steps is 0"),
        (("--batch-size", "-1"), "--batch-size is -1"),
        (("--checkpoint-every", "-1"), "--checkpoint-every is -1; it must be 0 or more"),
        (("--learning-rate", "0"), "--learning-rate is 0.0; it must be more than 0"),
        (("--learning-rate", "nan"), "--learning-rate is nan"),
        (("--warmup-ratio", "1"), "--warmup-ratio is 1.0; it must be less than 1"),
        (("--lora-targets", ","), "--lora-targets names no layer"),
        (("--method", "qlora"), "invalid choice: 'qlora'"),
        (("--epochs", "2", "--max-steps", "3"), "not allowed with"),
        (("--batchsize", "3"), "unrecognized arguments: --batchsize"),
        (("--batch-size", "many"), "invalid int value: 'many'"),
        (("--checkpoints", "oci://bucket/prefix"), "expected oci://bucket@namespace/prefix"),
        (("--checkpoints", "s3://bucket/prefix"), "expected oci://bucket@namespace/prefix"),
        (("--data", "/nowhere"), "--data /nowhere is no folder on this node"),
        (("--scratch", "/nowhere"), "--scratch /nowhere is no folder"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    made: Path, options: tuple[str, ...], named: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse(arguments(made, *options))
    assert named in str(refused.value)


def test_an_abbreviated_option_is_refused(made: Path) -> None:
    """A later version might have another option of that beginning."""
    with pytest.raises(UsageError, match="--max-step"):
        parse(arguments(made, "--max-step", "3"))


def test_what_is_left_out_has_a_value(made: Path) -> None:
    options = parse(arguments(made))
    assert options.epochs == 3
    assert options.method == "lora"
    assert options.packing
    assert json.dumps(options.as_json())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--max-length", "4096"), "the model knows 1024 positions"),
        (("--max-length", "8"), "none of 12 examples fits into --max-length 8"),
        (("--model", "{data}"), "has no config.json; recipes.stage writes it"),
        (("--data", "{base}"), "has no train.jsonl; recipes.stage writes it"),
    ],
)
def test_the_exit_code_is_two_and_nothing_has_begun(
    made: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    named: str,
) -> None:
    places = {"base": made / "base", "data": made / "data"}
    assert main(arguments(made, *(one.format(**places) for one in options))) == 2
    said = capsys.readouterr()
    assert named in said.err
    assert said.err.count("\n") == 1, said.err
    assert not said.out
    assert not (made / "out").exists()


def test_only_one_rank_of_a_node_says_it(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert main(arguments(made, "--epochs", "0")) == 2
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model_type": "gpt2"}, "of the family 'gpt2'; this recipe trains llama, mistral"),
        ({"model_type": "no such"}, "no such"),
        ({"model_type": "mistral", "sliding_window": 64}, "attention looks back 64 tokens"),
    ],
)
def test_a_model_that_it_cannot_train_is_refused(
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    named: str,
) -> None:
    config = json.loads((made / "base" / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    assert main(arguments(made, "--model", str(tmp_path))) == 2
    assert named in capsys.readouterr().err


def test_a_missing_shard_is_named(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (made / "base").iterdir():
        if "00002-of" not in path.name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(arguments(made, "--model", str(tmp_path))) == 2
    assert "lacks model-00002-of-00003.safetensors" in capsys.readouterr().err


def test_a_layer_that_is_not_there_is_named(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(made, "--max-steps", "1", "--lora-targets", "c_attn")) == 2
    said = capsys.readouterr().err
    assert "--lora-targets c_attn: the model has no such layer" in said
    assert "q_proj" in said


@pytest.mark.parametrize(
    ("given", "kept"), [(None, "expandable_segments:True"), ("backend:native", "backend:native")]
)
def test_gpu_memory_is_not_cut_into_pieces_unless_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch, given: str | None, kept: str
) -> None:
    name = "PYTORCH_CUDA_ALLOC_CONF"
    monkeypatch.setenv(name, "")  # so that it is put back in the end
    monkeypatch.delenv(name)
    if given:
        monkeypatch.setenv(name, given)
    assert main([]) == 2
    assert os.environ[name] == kept
