"""A tiny Llama with random weights, its tokenizer and a set of dialogues, made on the spot.

    python -m demo.tiny FOLDER        # for demo.hub: FOLDER/models/… and FOLDER/datasets/…

It runs where PyTorch and transformers are. Nothing is downloaded and nothing is checked in: the
dialogues come from a small grammar, the tokenizer is trained on them, the weights are drawn from a
seed. A model's folder is as Hugging Face writes one; a data set's has ``train.jsonl`` and
``validation.jsonl``, whose columns are SAMSum's.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"
SPECIAL_TOKENS = ("<unk>", "<s>", "</s>")

MODEL, DATASET = "tunestack/tiny-llama", "tunestack/tiny-dialogues"
"""Their names on the hub: those in ``tenancies/rehearsal.yaml``."""

# Dialogues of each split.
_TRAIN, _VALIDATION = 384, 32

Row = dict[str, str]

_PEOPLE = (
    "Ada",
    "Bruno",
    "Carla",
    "Diego",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
)
_THINGS = ("the tent", "a drill", "my charger", "the tickets", "two pizzas", "the spare key")
_PLACES = ("the library", "the harbour", "my flat", "the market", "the old mill")
_TIMES = ("at six", "on Friday", "after lunch", "tomorrow morning", "in an hour")
_REASONS = ("the train is late", "it rains", "the shop is closed", "I have a cold")

# A story: what is said, line by line, and what it comes to.
_STORIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("{a}: Could you bring {thing}?", "{b}: Yes. Where to?", "{a}: To {place}, {time}."),
        "{b} brings {thing} to {place} {time} for {a}.",
    ),
    (
        ("{a}: I can't come {time}, {reason}.", "{b}: Pity! Another day?", "{a}: Gladly."),
        "{a} will not meet {b} {time} because {reason}.",
    ),
    (
        ("{a}: Have you seen {thing}?", "{b}: I left it in {place}.", "{a}: I'll go {time}."),
        "{a} will fetch {thing} from {place} {time}; {b} left it there.",
    ),
    (
        (
            "{a}: Shall we meet {time}?",
            "{b}: Where?",
            "{a}: At {place}.",
            "{b}: Fine, I'll have {thing} with me.",
        ),
        "{a} and {b} meet at {place} {time}. {b} brings {thing}.",
    ),
)


@dataclass(frozen=True)
class Shape:
    """The model's measures. Heads are 32 wide: vLLM's CPU attention takes no narrower ones."""

    vocabulary: int = 512
    hidden: int = 64
    intermediate: int = 128
    layers: int = 2
    heads: int = 2
    key_value_heads: int = 1
    positions: int = 1024  # tokens
    spread: float = 0.02  # standard deviation of the weights, transformers' own
    shard: str = "200KB"  # several files, as a real model has


def make(
    folder: Path, *, train: int = 192, validation: int = 32, seed: int = 7
) -> tuple[Path, Path]:
    """Make ``folder/base`` and ``folder/data``; returns the two."""
    rows = dialogues(train + validation, seed)
    data = write_dialogues(folder / "data", rows[:train], rows[train:])
    base = write_model(folder / "base", rows[:train], seed=seed)
    return base, data


def make_hub(folder: Path) -> None:
    """What the rehearsal's hub serves: the model and the data set that its tenancy file names."""
    rows = dialogues(_TRAIN + _VALIDATION)
    write_dialogues(folder / "datasets" / DATASET, rows[:_TRAIN], rows[_TRAIN:])
    # LoRA leaves the embeddings as they are. Drawn this wide, they tell words apart well enough for
    # the model to learn its grammar in a minute; drawn as usual, its answers stay noise.
    write_model(folder / "models" / MODEL, rows[:_TRAIN], shape=Shape(spread=0.2))


def dialogues(count: int, seed: int = 7) -> list[Row]:
    """``count`` dialogues with their summaries; the same ones for the same seed."""
    draw = random.Random(seed)
    return [_dialogue(index, draw) for index in range(count)]


def write_dialogues(folder: Path, train: Sequence[Row], validation: Sequence[Row]) -> Path:
    """``train.jsonl`` and ``validation.jsonl`` in ``folder``, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", train), ("validation", validation)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def write_model(
    folder: Path, rows: Sequence[Row], *, shape: Shape | None = None, seed: int = 7
) -> Path:
    """A Llama of random fp32 weights, with a tokenizer trained on ``rows``, in ``folder``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    shape = shape or Shape()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer(rows, shape.vocabulary),
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        model_max_length=shape.positions,
        model_input_names=["input_ids", "attention_mask"],  # a Llama knows no others
    )
    tokenizer.chat_template = (
        "{{ bos_token }}{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
        "{% else %}{{ message['content'] + '\n' }}{% endif %}{% endfor %}"
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=shape.positions,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        initializer_range=shape.spread,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder, max_shard_size=shape.shard)
    tokenizer.save_pretrained(folder)
    return folder


def _dialogue(index: int, draw: random.Random) -> Row:
    lines, summary = draw.choice(_STORIES)
    first, second = draw.sample(_PEOPLE, 2)
    words = {
        "a": first,
        "b": second,
        "thing": draw.choice(_THINGS),
        "place": draw.choice(_PLACES),
        "time": draw.choice(_TIMES),
        "reason": draw.choice(_REASONS),
    }
    said = "\r\n".join(lines).format(**words)  # SAMSum's line ends
    return {"id": f"tiny-{index:05d}", "dialogue": said, "summary": summary.format(**words)}


def _train_tokenizer(rows: Sequence[Row], vocabulary: int) -> object:
    """A byte-level BPE: it can encode any text, so nothing is ever <unk>."""
    from tokenizers import (  # type: ignore[import-not-found]
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        trainers,
    )

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (PROMPT.format(dialog=row["dialogue"]) + row["summary"] for row in rows)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m demo.tiny FOLDER")
    make_hub(Path(sys.argv[1]))
