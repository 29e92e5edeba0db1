"""What recipes.sft learns from: tokens and labels, rows, and the order of the steps."""

from __future__ import annotations

import random
import runpy
from pathlib import Path

import pytest

from jobs.recipes.sft import data
from jobs.recipes.sft.batches import lay_out
from jobs.recipes.sft.data import Document
from jobs.recipes.sft.errors import UsageError
from jobs.recipes.sft.packing import Order, one_each, pack
from tests.recipes import tiny

ROOT = Path(__file__).resolve().parents[2]
DIALOGUES = [len(row["dialogue"]) for row in tiny.dialogues(300)]  # lengths like real ones


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder, train=12, validation=4)
    return folder


def test_both_recipes_teach_the_same_tokens(made: Path) -> None:
    from transformers import AutoTokenizer

    theirs = runpy.run_path(str(ROOT / "jobs/recipes/llama_recipes/samsum_dataset.py"))
    assert theirs["PROMPT"] == data.PROMPT == tiny.PROMPT
    tokenizer = AutoTokenizer.from_pretrained(made / "base")
    rows = data.read_rows(made / "data" / "train.jsonl")
    for row, document in zip(rows, data.encode(tokenizer, rows), strict=True):
        sample = theirs["tokenize"](tokenizer, row["dialogue"], row["summary"])
        assert list(document.tokens) == sample["input_ids"]
        learned = [label for label in sample["labels"] if label != -100]
        assert list(document.tokens[document.prompt_length :]) == learned


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ('{"dialogue": "x"}', "line 2: no 'summary' (found: dialogue keys)"),
        ("[1]", "line 2: no 'dialogue' (found: no keys)"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text('{"dialogue": "a", "summary": "b"}\n' + line + "\n")
    with pytest.raises(UsageError) as refused:
        data.read_rows(path)
    assert said in str(refused.value)


def test_examples_that_are_too_long_are_left_out_whole(made: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(made / "base")
    path = made / "data" / "train.jsonl"
    lengths = [len(one) for one in data.encode(tokenizer, data.read_rows(path))]
    limit = sorted(lengths)[6]
    split = data.load(path, tokenizer, limit)
    assert [len(one) for one in split.documents] == [n for n in lengths if n <= limit]
    assert split.too_long == sum(n > limit for n in lengths) > 0


def test_every_document_is_in_one_row_that_it_fits() -> None:
    rows = pack(DIALOGUES, 2048)
    assert sorted(index for row in rows for index in row) == list(range(len(DIALOGUES)))
    filled = [sum(DIALOGUES[index] for index in row) for row in rows]
    assert max(filled) <= 2048
    assert len(rows) <= sum(DIALOGUES) / 2048 * 1.02 + 1, "rows are left half empty"


def test_best_fit_takes_the_fullest_row_with_room() -> None:
    assert sorted(pack([6, 5, 4, 3, 2], 10)) == [(0, 2), (1, 3, 4)]
    assert pack([7, 7], 10) == [(0,), (1,)]


def _order(count: int, global_batch: int) -> Order:
    draw = random.Random(3)
    rows = one_each(range(count))
    return Order(tuple(rows), tuple(draw.randint(5, 50) for _ in rows), global_batch, seed=1)


@pytest.mark.parametrize(("world", "passes"), [(1, 1), (2, 1), (4, 1), (2, 2), (1, 4)])
def test_a_batch_is_the_same_whoever_shares_it(world: int, passes: int) -> None:
    order = _order(21, 8)
    for step in range(9):
        shared = [
            row
            for rank in range(world)
            for rows in order.share(step, rank, world, passes)
            for row in rows
        ]
        assert sorted(shared) == sorted(order.rows[index] for index in order.batch(step))
        shares = [order.share(step, rank, world, passes) for rank in range(world)]
        assert {len(share) for share in shares} == {passes}
        assert max(len(rows) for share in shares for rows in share) <= 8 / world / passes


def test_an_epoch_takes_every_row_once_and_the_next_in_another_order() -> None:
    order = _order(21, 8)
    assert order.steps_per_epoch == 3
    epochs = [
        [index for step in range(start, start + 3) for index in order.batch(step)]
        for start in (0, 3)
    ]
    assert [sorted(epoch) for epoch in epochs] == [list(range(21))] * 2
    assert epochs[0] != epochs[1]
    assert order.batch(4) == _order(21, 8).batch(4)


def test_a_batch_knows_where_documents_end_and_what_they_predict() -> None:
    batch = lay_out([Document((1, 5, 6, 7, 2), 3), Document((1, 8, 9, 2), 2)], fill_to=12)
    assert batch.tokens.tolist() == [[1, 5, 6, 7, 2, 1, 8, 9, 2, 0, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 2]]
    assert batch.borders.tolist() == [0, 5, 9, 12] == list(batch.border_list)
    assert batch.longest == 5
    assert batch.targets.tolist() == [7, 2, 9, 2]
    assert batch.predicts.tolist() == [2, 3, 6, 7]
    assert batch.real_tokens == 9


def test_a_rank_without_a_row_still_has_a_pass() -> None:
    batch = lay_out([])
    assert batch.tokens.shape == (1, 1)
    assert batch.targets.tolist() == []
