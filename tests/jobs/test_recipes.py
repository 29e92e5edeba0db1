"""The data set of llama-recipes: a script that runs in a job as it is, on its old Python."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

SCRIPT = (
    Path(__file__).resolve().parents[2] / "jobs" / "recipes" / "llama_recipes" / "samsum_dataset.py"
)


def test_it_keeps_to_the_jobs_python() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 9))


class Tokenizer:
    """One token a character; 1 begins and 2 ends."""

    bos_token_id = 1
    eos_token_id = 2

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert add_special_tokens is False
        return [ord(letter) for letter in text]


@pytest.fixture
def samsum(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("SAMSUM_PATH", raising=False)
    spec = importlib.util.spec_from_file_location("samsum_dataset", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_the_summary_and_its_end_are_learnt(samsum: Any) -> None:
    sample = samsum.tokenize(Tokenizer(), "A: hi", "Hi.")

    prompt = "Summarize this dialog:\nA: hi\n---\nSummary:\n"
    ids = [1, *map(ord, prompt), *map(ord, "Hi."), 2]
    assert sample["input_ids"] == ids
    assert sample["attention_mask"] == [1] * len(ids)
    assert sample["labels"] == [-100] * (1 + len(prompt)) + [*map(ord, "Hi."), 2]


def test_packing_loses_nothing_but_the_tail(samsum: Any) -> None:
    samples = [samsum.tokenize(Tokenizer(), "A: hi", text) for text in ("one", "two", "three")]
    joined = [token for sample in samples for token in sample["input_ids"]]

    packed = samsum.pack(samples, 50)

    assert len(packed) == len(joined) // 50
    assert [token for sample in packed for token in sample["input_ids"]] == joined[
        : 50 * len(packed)
    ]
    assert all(len(values) == 50 for sample in packed for values in sample.values())
    assert [len(sample["input_ids"]) for sample in samsum.pack(samples, 10**6)] == [len(joined)]
    assert samsum.pack([], 50) == []


ROWS = [
    {"dialogue": "A: hi", "summary": "Hi."},
    {"dialogue": None, "summary": "Nothing."},
    {"dialogue": "B: bye", "summary": ""},
    {"dialogue": "B: bye", "summary": "Bye."},
]


@pytest.mark.parametrize(("packs_itself", "count"), [(True, 2), (False, 1)])
def test_the_hook(
    packs_itself: bool, count: int, samsum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer llama-recipes packs by itself; for an older one it is done here."""
    monkeypatch.setattr(samsum, "load_rows", lambda split: ROWS)
    monkeypatch.setattr(samsum, "trainer_batches", lambda: packs_itself)
    found = samsum.get_custom_dataset(SimpleNamespace(), Tokenizer(), "train")
    assert len(found) == count


@pytest.mark.parametrize(
    ("attributes", "batches"), [({"batching_strategy": "packing"}, True), ({}, False)]
)
def test_whether_the_trainer_packs_is_read_from_its_config(
    attributes: dict[str, str], batches: bool, samsum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = ModuleType("llama_recipes.configs")
    configs.train_config = SimpleNamespace(**attributes)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_recipes", ModuleType("llama_recipes"))
    monkeypatch.setitem(sys.modules, "llama_recipes.configs", configs)
    assert samsum.trainer_batches() is batches


def test_the_staged_split_is_read(
    samsum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    datasets = ModuleType("datasets")
    datasets.load_dataset = lambda name, **how: asked.append((name, how))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", datasets)
    (tmp_path / "validation.jsonl").write_text("")
    monkeypatch.setattr(samsum, "STAGED", str(tmp_path))

    samsum.load_rows("validation")
    other = tmp_path / "other"
    other.mkdir()
    (other / "validation.csv").write_text("")
    monkeypatch.setenv("SAMSUM_PATH", str(other))
    samsum.load_rows("validation")

    assert asked == [
        ("json", {"data_files": str(tmp_path / "validation.jsonl"), "split": "train"}),
        ("csv", {"data_files": str(other / "validation.csv"), "split": "train"}),
    ]


def test_a_split_that_is_not_there_is_told(
    samsum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert samsum.STAGED == "/mnt/data"
    monkeypatch.setenv("SAMSUM_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no split 'train' in .+train\.jsonl.+stage job"):
        samsum.split_file("train")
