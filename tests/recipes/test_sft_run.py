"""recipes.sft, run whole on a tiny model: what it learns, says and leaves."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.recipes import tiny
from tests.recipes.ranks import Ended, run

STEPS = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder, train=48, validation=8)
    return folder


def arguments(made: Path, output: Path, *more: str) -> list[str]:
    """Options of a short run; later ones win."""
    return [
        *("--model", str(made / "base"), "--data", str(made / "data"), "--output", str(output)),
        *("--scratch", str(made), "--max-steps", str(STEPS), "--max-length", "160"),
        *("--batch-size", "4", "--learning-rate", "1e-2", "--log-every", "1", "--samples", "0"),
        *more,
    ]


@pytest.fixture(scope="module")
def lora(made: Path) -> Ended:
    return run(
        arguments(made, made / "lora", "--samples", "2", "--sample-tokens", "16"), made / "a"
    )


@pytest.fixture(scope="module")
def full(made: Path) -> Ended:
    return run(arguments(made, made / "full", "--method", "full"), made / "b")


def test_the_loss_falls_and_every_line_is_json(made: Path, lora: Ended) -> None:
    assert lora.codes == (0,), lora.errors
    losses = lora.losses()
    assert list(losses) == list(range(1, STEPS + 1))
    assert losses[STEPS] < losses[1] - 0.2
    assert list(lora.losses("eval")) == [STEPS]
    theirs = [line for line in lora.output.splitlines() if not line.startswith("[Gloo]")]
    assert len(lora.lines) == len(theirs)
    first = next(line for line in lora.lines if line.get("metric") == "train")
    assert {"tokens_per_second", "gpu_memory_gb", "learning_rate", "epoch", "time"} <= set(first)
    kept = (made / "lora" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in kept] == lora.lines
    assert not list(made.glob("sft-*")), "the scratch folder is left"


def test_the_adapter_is_the_model_that_was_trained(made: Path, lora: Ended) -> None:
    """Loaded by peft into a model that transformers loaded: same loss, same answers."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = AutoModelForCausalLM.from_pretrained(made / "base")
    model = PeftModel.from_pretrained(base, made / "lora").eval()
    tokenizer = AutoTokenizer.from_pretrained(made / "lora")
    rows = _validation(made)
    loss = _reference_loss(model, tokenizer, rows)
    assert loss == pytest.approx(lora.losses("eval")[STEPS], abs=2e-5)
    with model.disable_adapter():
        assert _reference_loss(model, tokenizer, rows) > loss + 0.2
    summary = json.loads((made / "lora" / "training.json").read_text())
    assert [one["after"] for one in summary["samples"]] == _answers(model, tokenizer, rows[:2])
    with model.disable_adapter():
        before = _answers(model, tokenizer, rows[:2])
    assert [one["before"] for one in summary["samples"]] == before


def test_training_json_says_what_was_done(made: Path, lora: Ended) -> None:
    summary = json.loads((made / "lora" / "training.json").read_text())
    assert summary["method"] == "lora"
    assert summary["base_model"] == str(made / "base")
    assert summary["steps"] == STEPS
    assert summary["loss"]["eval"] == pytest.approx(lora.losses("eval")[STEPS], abs=1e-6)
    assert summary["loss"]["train"] == pytest.approx(lora.losses()[STEPS], abs=1e-6)
    assert summary["data"]["train"]["examples"] == 48
    assert summary["versions"]["torch"] == version("torch")
    adapter = json.loads((made / "lora" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(made / "base")


def test_full_weights_are_sharded_and_complete(made: Path, full: Ended) -> None:
    import torch.distributed.checkpoint as dcp
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    assert full.codes == (0,), full.errors
    output = made / "full"
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(output)).eval()
    weights = {"model": model.state_dict()}
    dcp.load(weights, checkpoint_id=output, no_dist=True)
    model.load_state_dict(weights["model"])
    loss = _reference_loss(model, AutoTokenizer.from_pretrained(output), _validation(made))
    assert loss == pytest.approx(full.losses("eval")[STEPS], abs=2e-5)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_two_ranks_train_as_one_does(
    made: Path, tmp_path: Path, request: pytest.FixtureRequest, method: str
) -> None:
    alone: Ended = request.getfixturevalue(method)
    options = ("--method", method, "--batch-size", "2", "--samples", "2", "--sample-tokens", "16")
    two = run(arguments(made, tmp_path / "out", *options), tmp_path, ranks=2)
    assert two.codes == (0, 0), two.errors
    _same_losses(two, alone)
    if method == "lora":
        _same_adapter(tmp_path / "out", made / "lora")
        said = [
            json.loads((folder / "training.json").read_text())["samples"]
            for folder in (tmp_path / "out", made / "lora")
        ]
        assert said[0] == said[1]
    else:
        assert len(list((tmp_path / "out").glob("*.distcp"))) == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--batch-size", "1", "--gradient-accumulation", "4"),
        ("--no-gradient-checkpointing",),
        ("--no-reshard-after-forward", "--no-gradient-checkpointing"),
    ],
    ids=lambda options: options[0],
)
def test_what_saves_memory_changes_no_loss(
    made: Path, tmp_path: Path, lora: Ended, options: tuple[str, ...]
) -> None:
    other = run(arguments(made, tmp_path / "out", *options), tmp_path)
    assert other.codes == (0,), other.errors
    _same_losses(other, lora)


def test_two_ranks_accumulate_as_one_rank_alone(made: Path, tmp_path: Path, lora: Ended) -> None:
    options = ("--batch-size", "1", "--gradient-accumulation", "2", "--no-reshard-after-forward")
    both = run(arguments(made, tmp_path / "out", *options), tmp_path, ranks=2)
    assert both.codes == (0, 0), both.errors
    _same_losses(both, lora)


def test_packed_rows_train_as_unpacked_ones(made: Path, tmp_path: Path) -> None:
    """All 48 examples in each step: packed into some rows, or a row each."""
    packed, unpacked = (
        run(
            arguments(made, tmp_path / name, "--max-steps", "3", "--batch-size", "48", *more),
            tmp_path / f"{name}.log",
        )
        for name, more in (("packed", ()), ("unpacked", ("--no-packing",)))
    )
    assert packed.events("start")[0]["rows"] < 48 == unpacked.events("start")[0]["rows"]
    assert len(packed.losses()) == 3
    _same_losses(packed, unpacked)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_other_families_and_tied_weights(made: Path, tmp_path: Path, method: str) -> None:
    """Qwen2 has biases, and here one matrix for the words that it reads and writes."""
    _write_qwen(made / "base", tmp_path / "qwen")
    options = ("--model", str(tmp_path / "qwen"), "--method", method, "--max-steps", "3")
    one = run(arguments(made, tmp_path / "one", *options), tmp_path / "one.log")
    halves = (*options, "--batch-size", "2")
    two = run(arguments(made, tmp_path / "two", *halves), tmp_path / "two.log", ranks=2)
    assert two.codes == (0, 0), two.errors
    assert one.losses()[3] < one.losses()[1]
    _same_losses(two, one)


def test_bf16_trains(made: Path, tmp_path: Path, lora: Ended) -> None:
    options = ("--precision", "bf16", "--batch-size", "2")
    two = run(arguments(made, tmp_path / "out", *options), tmp_path, ranks=2)
    assert two.codes == (0, 0), two.errors
    assert two.events("model")[0]["precision"] == "bfloat16"
    assert two.losses()[STEPS] == pytest.approx(lora.losses()[STEPS], abs=0.1)
    assert two.losses() != lora.losses()


def test_bf16_trains_on_one_rank(made: Path, tmp_path: Path, full: Ended) -> None:
    one = run(
        arguments(made, tmp_path / "out", "--precision", "bf16", "--method", "full"), tmp_path
    )
    assert one.codes == (0,), one.errors
    assert one.losses()[STEPS] == pytest.approx(full.losses()[STEPS], abs=0.2)


def _write_qwen(base: Path, folder: Path) -> None:
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(base)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _same_losses(one: Ended, other: Ended) -> None:
    """Equal but for the rounding of sums in another order; Adam's first steps make more of that
    with each step, as they go by the signs of gradients that are almost nothing."""
    mine, theirs = one.losses(), other.losses()
    assert {step: mine[step] for step in (1, 2)} == pytest.approx(
        {step: theirs[step] for step in (1, 2)}, abs=2e-5
    )
    assert mine == pytest.approx(theirs, abs=1e-2)
    assert one.losses("eval") == pytest.approx(other.losses("eval"), abs=1e-2)


def _same_adapter(one: Path, other: Path) -> None:
    from safetensors.torch import load_file  # type: ignore[import-not-found]

    mine, theirs = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    assert list(mine) == list(theirs)
    for name, tensor in mine.items():
        assert float((tensor - theirs[name]).norm() / theirs[name].norm()) < 0.1, name


def _validation(made: Path) -> list[dict[str, str]]:
    lines = (made / "data" / "validation.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _reference_loss(model: Any, tokenizer: Any, rows: list[dict[str, str]]) -> float:
    """The mean over all target tokens, by transformers' own loss, one example at a time."""
    total, count = 0.0, 0
    for row in rows:
        prompt = [
            tokenizer.bos_token_id,
            *_ids(tokenizer, tiny.PROMPT.format(dialog=row["dialogue"])),
        ]
        answer = [*_ids(tokenizer, row["summary"]), tokenizer.eos_token_id]
        labels = torch.tensor([[-100] * len(prompt) + answer])
        with torch.no_grad():
            loss = model(input_ids=torch.tensor([prompt + answer]), labels=labels).loss
        total += float(loss) * len(answer)
        count += len(answer)
    return total / count


def _answers(model: Any, tokenizer: Any, rows: list[dict[str, str]]) -> list[str]:
    texts = []
    for row in rows:
        prompt = [
            tokenizer.bos_token_id,
            *_ids(tokenizer, tiny.PROMPT.format(dialog=row["dialogue"])),
        ]
        tokens = torch.tensor([prompt])
        found = model.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=16,
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id,
        )
        texts.append(tokenizer.decode(found[0, len(prompt) :], skip_special_tokens=True).strip())
    return texts


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids
