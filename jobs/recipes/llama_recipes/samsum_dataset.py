"""Dialogue summaries (SAMSum) for llama-recipes, through its custom-dataset hook.

    examples/finetuning.py … --dataset custom_dataset --custom_dataset.file …/samsum_dataset.py

The data set ``samsum`` left the Hugging Face hub in May 2025, so that the loader built into
llama-recipes fails. This one reads what ``recipes.stage`` put into the bucket: the folder that
``SAMSUM_PATH`` names, ``/mnt/data`` if it is not set. It holds a file a split: ``train`` and
``validation``, as .jsonl, .json, .csv or .parquet, with the columns ``dialogue`` and ``summary``.

The script must work on Python 3.9, the one in ``pytorch20_p39_gpu_v2``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Iterable, cast  # noqa: UP035 (the run's Python is 3.9)

STAGED = "/mnt/data"
PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"
IGNORED = -100  # the label that PyTorch's cross entropy leaves out of the loss
CHUNK_LENGTH = 2048  # tokens; what llama-recipes packs to where the config gives no input_length
READERS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}

Sample = dict[str, list[int]]


def get_custom_dataset(dataset_config: Any, tokenizer: Any, split: str) -> list[Sample]:
    """The hook: token ids, attention mask and labels for ``split`` (``train``, ``validation``).

    The prompt's labels are ignored: the model learns to write summaries, not dialogues.
    """
    samples = [
        tokenize(tokenizer, row["dialogue"], row["summary"])
        for row in load_rows(split)
        if row["dialogue"] and row["summary"]
    ]
    if trainer_batches():
        return samples
    return pack(samples, getattr(dataset_config, "input_length", CHUNK_LENGTH))


def tokenize(tokenizer: Any, dialogue: str, summary: str) -> Sample:
    """One example: ``<bos> prompt summary <eos>``, with labels on summary and end only.

    Prompt and summary are encoded apart, so that the boundary is a token boundary, as it is when
    the model is asked for a summary.
    """
    prompt = tokenizer.encode(PROMPT.format(dialog=dialogue), add_special_tokens=False)
    answer = tokenizer.encode(summary, add_special_tokens=False)
    prompt = [tokenizer.bos_token_id, *prompt]
    answer = [*answer, tokenizer.eos_token_id]
    return {
        "input_ids": prompt + answer,
        "attention_mask": [1] * (len(prompt) + len(answer)),
        "labels": [IGNORED] * len(prompt) + answer,
    }


def pack(samples: Iterable[Sample], length: int) -> list[Sample]:
    """Join the samples and cut them into pieces of ``length`` tokens; the last, shorter, is left.

    For llama-recipes up to October 2023, whose collator stacks samples as they come. If there is
    less than one piece, that piece is returned alone rather than nothing.
    """
    joined: Sample = {"input_ids": [], "attention_mask": [], "labels": []}
    for sample in samples:
        for key, values in joined.items():
            values.extend(sample[key])
    total = len(joined["input_ids"])
    if total < length:
        return [joined] if total else []
    starts = range(0, total - length + 1, length)
    return [
        {key: values[start : start + length] for key, values in joined.items()} for start in starts
    ]


def trainer_batches() -> bool:
    """Whether this llama-recipes packs or pads by itself (it has ``batching_strategy``)."""
    try:
        from llama_recipes.configs import train_config  # type: ignore[import-not-found]
    except ImportError:
        return False
    return hasattr(train_config, "batching_strategy")


def load_rows(split: str) -> Iterable[dict[str, str]]:
    """The rows of a split."""
    import datasets

    file = split_file(split)
    rows = datasets.load_dataset(READERS[file.suffix], data_files=str(file), split="train")
    return cast("Iterable[dict[str, str]]", rows)


def split_file(split: str) -> Path:
    """The file of a split.

    Raises:
        FileNotFoundError: there is none.
    """
    folder = Path(os.environ.get("SAMSUM_PATH") or STAGED)
    for suffix in READERS:
        candidate = folder / f"{split}{suffix}"
        if candidate.is_file():
            return candidate
    allowed = ", ".join(f"{split}{suffix}" for suffix in READERS)
    raise FileNotFoundError(
        f"no split '{split}' in {folder} (SAMSUM_PATH): expected one of {allowed}. "
        "The stage job puts it there"
    )
