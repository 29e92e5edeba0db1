"""What both sides train: a Llama of random weights and dialogues, made on the spot.

    python -m benchmarks.training.material FOLDER SHAPE

The weights are bf16, as released models are. The tokenizer is a sentencepiece model, which
llama-recipes of 2023 wants; it is trained on the dialogues.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.tiny import Row, dialogues, write_dialogues

VALIDATION = 32


@dataclass(frozen=True)
class Shape:
    """A model's measures, and how many dialogues are made for it."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int = 32000
    examples: int = 4000

    @property
    def parameters(self) -> int:
        layer = 4 * self.hidden**2 + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + (2 * self.vocabulary + 1) * self.hidden


SHAPES = {
    "7b": Shape(4096, 11008, 32, 32),
    "3b": Shape(3200, 8640, 26, 32),
    "1b": Shape(2048, 5632, 22, 32),
    "tiny": Shape(64, 128, 2, 2, 1000, 150),
}


def make(folder: Path, shape: Shape) -> None:
    """``folder/base`` and ``folder/data``; what is there already stays."""
    if (folder / "data" / "validation.jsonl").is_file():
        return
    rows = long_dialogues(shape.examples)
    _write_model(folder / "base", shape, rows)
    write_dialogues(folder / "data", rows[:-VALIDATION], rows[-VALIDATION:])


def long_dialogues(count: int) -> list[Row]:
    """Dialogues of one to six of the small ones: about as long, and as uneven, as SAMSum's."""
    draw = random.Random(11)
    parts = dialogues(6 * count)
    made = []
    for index in range(count):
        some = draw.sample(parts, draw.randint(1, 6))
        dialogue = "\r\n".join(part["dialogue"] for part in some)
        summary = " ".join(part["summary"] for part in some[:3])
        made.append({"id": f"long-{index:05d}", "dialogue": dialogue, "summary": summary})
    return made


def _write_model(folder: Path, shape: Shape, rows: list[Row]) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _write_tokenizer(folder, rows)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write_tokenizer(folder: Path, rows: list[Row]) -> Any:
    import sentencepiece  # type: ignore[import-not-found]
    from transformers import LlamaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text"
    text.write_text("\n".join(row["dialogue"] + "\n" + row["summary"] for row in rows))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=600,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    text.unlink()
    tokenizer = LlamaTokenizer(str(folder / "tokenizer.model"), legacy=True)
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in SHAPES:
        sys.exit(f"usage: python -m benchmarks.training.material FOLDER {'|'.join(SHAPES)}")
    make(Path(sys.argv[1]), SHAPES[sys.argv[2]])
