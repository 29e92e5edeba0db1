"""Dialogues and summaries as token ids: which tokens are read, and which are learned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError

# The words of llama-recipes' samsum data set, so that both recipes teach the same task.
PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"
COLUMNS = ("dialogue", "summary")


@dataclass(frozen=True)
class Document:
    """One example: ``<bos> prompt summary <eos>``; the loss is of what follows the prompt."""

    tokens: tuple[int, ...]
    prompt_length: int  # tokens, <bos> among them

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def targets(self) -> int:
        """How many tokens the model has to predict."""
        return len(self.tokens) - self.prompt_length


@dataclass(frozen=True)
class Split:
    """The documents of a file, and what was left out."""

    documents: tuple[Document, ...]
    too_long: int
    sha256: str


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a JSON-lines file that have a dialogue and a summary.

    Raises:
        UsageError: a line is no JSON object or lacks a column; says which line.
    """
    return [row for row in _rows(path) if row["dialogue"] and row["summary"]]


def prompt_of(row: dict[str, str]) -> str:
    """What the model is asked."""
    return PROMPT.format(dialog=row["dialogue"])


def encode(tokenizer: Any, rows: Sequence[dict[str, str]]) -> list[Document]:
    """Prompt and summary are encoded apart: the border between them is a border of tokens, as it
    is when the model is asked for a summary."""
    if not rows:
        return []
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    answers = tokenizer([row["summary"] for row in rows], add_special_tokens=False)["input_ids"]
    return [
        Document((*start, *prompt, *answer, tokenizer.eos_token_id), len(start) + len(prompt))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def load(path: Path, tokenizer: Any, max_length: int) -> Split:
    """The documents of ``path`` that fit into ``max_length`` tokens.

    Longer ones are left out, not cut: a dialogue without its end teaches a wrong summary.

    Raises:
        UsageError: the file is not as it must be, or nothing fits.
    """
    documents = encode(tokenizer, read_rows(path))
    kept = tuple(document for document in documents if len(document) <= max_length)
    if not kept:
        longest = max((len(document) for document in documents), default=0)
        raise UsageError(
            f"{path}: none of {len(documents)} examples fits into --max-length {max_length} "
            f"(the longest has {longest} tokens)"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Split(kept, len(documents) - len(kept), digest)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path}, line {number}: not JSON: {error}") from None
            found = list(row) if isinstance(row, dict) else []
            missing = [name for name in COLUMNS if name not in found]
            if missing:
                raise UsageError(
                    f"{path}, line {number}: no '{missing[0]}' (found: {', '.join(found) or 'no'} "
                    f"keys); each line needs {' and '.join(COLUMNS)}"
                )
            yield row
