"""Stage a data set: whatever form its splits have on the hub, JSON lines in the bucket."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..buckets import Bucket
from .copying import finish, is_done, standing
from .errors import StageError
from .hub import HubFile, Repository
from .manifest import NAME, Manifest, StagedFile
from .progress import in_words, say

COLUMNS = ("dialogue", "summary")
SPLITS = ("train", "validation", "test")
HELD_OUT = 20
"""Where a data set has no validation split, one row of this many is taken from train."""

_SUFFIXES = (".csv", ".json", ".jsonl", ".parquet", ".arrow")
_CARD = "README.md"  # may say which files are which split

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """How a data set is read: its configuration, and the columns that are wanted of it."""

    config: str = ""
    dialogue: str = COLUMNS[0]
    summary: str = COLUMNS[1]

    def settings(self) -> dict[str, str]:
        return {"config": self.config, "dialogue": self.dialogue, "summary": self.summary}


def stage_dataset(repository: Repository, bucket: Bucket, reading: Reading) -> Manifest:
    """Write ``train.jsonl``, ``validation.jsonl`` and, where there is one, ``test.jsonl``.

    Raises:
        StageError: the hub refuses, a file arrives damaged, or the splits can't be read.
        BucketError: Object Storage refuses.
    """
    before = standing(bucket)
    if before is not None and is_done(bucket, before, repository, reading.settings()):
        say(f"{repository.name} at {repository.commit} is already in {bucket.uri()}")
        return before
    with tempfile.TemporaryDirectory(prefix="stage-", dir=Path.home()) as scratch:
        folder = Path(scratch)
        sources = _fetch(repository, folder / "repository")
        splits = _load(repository, folder / "repository", folder / "cache", reading)
        rows = {split: _write(folder, split, splits[split], reading) for split in splits}
        bucket.delete(NAME)
        files = tuple(_upload(folder / f"{split}.jsonl", bucket) for split in rows)
    manifest = Manifest(
        kind="dataset",
        repo=repository.name,
        revision=repository.revision,
        commit=repository.commit,
        files=files,
        settings=reading.settings(),
        facts={"rows": rows, "sources": sources},
    )
    finish(bucket, manifest, before)
    counted = ", ".join(f"{count:,} {split}" for split, count in rows.items())
    say(f"{repository.name}: done, {counted} in {bucket.uri()}")
    return manifest


def _fetch(repository: Repository, folder: Path) -> list[str]:
    """The repository's data files, checked, in *folder*; their names."""
    data = [file for file in repository.files if file.name.endswith(_SUFFIXES)]
    if not data:
        raise StageError(
            f"the dataset {repository.name} has no {', '.join(_SUFFIXES)} files (a loading script "
            "or an archive can't be staged); choose another one"
        )
    card = [file for file in repository.files if file.name == _CARD]
    total = in_words(sum(file.size for file in data))
    say(f"{repository.name} at {repository.commit}: {len(data)} files, {total}")
    for file in data + card:
        _save(repository, file, folder)
    return [file.name for file in data]


def _save(repository: Repository, file: HubFile, folder: Path) -> None:
    if ".." in PurePosixPath(file.name).parts or file.name.startswith("/"):
        raise StageError(f"the dataset {repository.name} has a file '{file.name}': not a good name")
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as opened:
        opened.writelines(repository.parts(file))


def _load(
    repository: Repository, folder: Path, cache: Path, reading: Reading
) -> dict[str, Iterable[Row]]:
    """The splits by name, with the columns that are wanted."""
    import datasets

    datasets.disable_progress_bars()
    try:
        found = datasets.load_dataset(
            str(folder), name=reading.config or None, cache_dir=str(cache)
        )
    except (ValueError, OSError, datasets.exceptions.DatasetsError) as error:
        raise StageError(
            f"the dataset {repository.name} can't be read: {_first_line(error)}"
        ) from None
    except StopIteration:  # so datasets says that there is nothing to tell the columns from
        raise StageError(f"the dataset {repository.name} has a file without rows") from None
    splits = {split: found[split] for split in SPLITS if split in found}
    if "train" not in splits:
        raise StageError(
            f"the dataset {repository.name} has no split 'train'; it has {', '.join(found)}"
        )
    for split, rows in splits.items():
        _check_columns(repository.name, split, rows.column_names, reading)
    if "validation" not in splits:
        splits |= _held_out(splits["train"])
    return {split: splits[split] for split in SPLITS if split in splits}


def _held_out(rows: Any) -> dict[str, Any]:
    say(f"there is no split 'validation': each {HELD_OUT}th row of train is held out for it")
    every = range(HELD_OUT - 1, len(rows), HELD_OUT)
    kept = [index for index in range(len(rows)) if index % HELD_OUT != HELD_OUT - 1]
    return {"train": rows.select(kept), "validation": rows.select(every)}


def _check_columns(name: str, split: str, found: list[str], reading: Reading) -> None:
    missing = [column for column in (reading.dialogue, reading.summary) if column not in found]
    if missing:
        raise StageError(
            f"the dataset {name}, split '{split}', has no column {' and no '.join(missing)}; it "
            f"has {', '.join(found)}. Name its own in --dialogue-column and --summary-column"
        )


def _write(folder: Path, split: str, rows: Iterable[Row], reading: Reading) -> int:
    """One JSON line a row, with the columns' usual names; how many there are."""
    written = left_out = 0
    with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            texts = (row[reading.dialogue], row[reading.summary])
            if not all(isinstance(text, str) and text.strip() for text in texts):
                left_out += 1
                continue
            file.write(json.dumps(dict(zip(COLUMNS, texts, strict=True)), ensure_ascii=False))
            file.write("\n")
            written += 1
    if left_out:
        say(f"{split}: {left_out:,} rows left out, a dialogue or a summary is empty")
    if not written:
        raise StageError(f"the split '{split}' has no rows with a dialogue and a summary")
    return written


def _upload(path: Path, bucket: Bucket) -> StagedFile:
    size = path.stat().st_size
    say(f"{path.name}: {in_words(size)}")
    return StagedFile(path.name, size, bucket.upload(path, path.name))


def _first_line(error: Exception) -> str:
    """What is at the bottom of it: datasets wraps the reader's own error."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error).strip().partition("\n")[0] or type(error).__name__
