"""Staging a data set: from a stand-in of the hub, in any form, to JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from demo.hub import running_hub
from jobs.recipes.buckets import Bucket, Head, Stored
from jobs.recipes.stage.dataset import Reading, stage_dataset
from jobs.recipes.stage.errors import StageError
from jobs.recipes.stage.hub import repository
from jobs.recipes.stage.manifest import Manifest, check

NAME = "org/dialogues"
ROWS = [{"dialogue": f"A: {number}\r\nB: so?", "summary": f"Nº {number}."} for number in range(40)]


@dataclass
class Folder:
    """As much of a bucket as staging a data set needs."""

    path: Path
    uploaded: list[str] = field(default_factory=list)

    def uri(self, name: str = "") -> str:
        return f"oci://b@n/{name}"

    def list(self) -> Iterator[Stored]:
        for file in self.path.iterdir():
            yield Stored(file.name, file.stat().st_size)

    def head(self, name: str) -> Head | None:
        return None

    def read(self, name: str) -> bytes | None:
        return (self.path / name).read_bytes() if (self.path / name).exists() else None

    def write(self, name: str, content: bytes, metadata: Any = None) -> str:
        (self.path / name).write_bytes(content)
        return ""

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def upload(self, path: Path, name: str) -> str:
        import hashlib

        self.uploaded.append(name)
        self.write(name, path.read_bytes())
        return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is written to disk meanwhile goes to the job's home, and nothing of it stays."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def bucket(tmp_path: Path) -> Folder:
    (tmp_path / "bucket").mkdir()
    return Folder(tmp_path / "bucket")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "hub" / "datasets" / NAME
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def staging(
    tmp_path: Path, bucket: Folder, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Manifest]:
    def stage(reading: Reading | None = None) -> Manifest:
        with running_hub(tmp_path / "hub") as hub:
            template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
            monkeypatch.setattr(
                "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template
            )
            found = repository("dataset", NAME, "main", None)
            return stage_dataset(found, cast(Bucket, bucket), reading or Reading())

    return stage


def _lines(path: Path) -> list[Mapping[str, str]]:
    # Not splitlines: a dialogue may hold one of the line ends that only Unicode knows.
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def _as_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _as_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv

    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _as_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows))


def _as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow.parquet  # type: ignore[import-not-found]

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def _as_arrow(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow

    table = pyarrow.Table.from_pylist(rows)
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)


WRITERS = {
    ".csv": _as_csv,
    ".json": _as_json,
    ".jsonl": _as_jsonl,
    ".parquet": _as_parquet,
    ".arrow": _as_arrow,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_form_comes_to_the_same_lines(
    suffix: str, data: Path, bucket: Folder, staging: Callable[..., Manifest], home: Path
) -> None:
    more = [{**row, "id": str(number)} for number, row in enumerate(ROWS)]
    for split, rows in (("train", more[:30]), ("validation", more[30:35]), ("test", more[35:])):
        WRITERS[suffix](data / f"{split}{suffix}", rows)

    manifest = staging()

    assert _lines(bucket.path / "train.jsonl") == ROWS[:30]
    assert _lines(bucket.path / "validation.jsonl") == ROWS[30:35]
    assert _lines(bucket.path / "test.jsonl") == ROWS[35:]
    assert check(bucket.path, read_all=True) == manifest
    assert manifest.facts["rows"] == {"train": 30, "validation": 5, "test": 5}
    assert list(home.iterdir()) == []


def test_a_second_run_does_nothing_unless_it_reads_otherwise(
    data: Path, bucket: Folder, staging: Callable[..., Manifest]
) -> None:
    rows = [{**row, "other": row["summary"].upper()} for row in ROWS]
    _as_jsonl(data / "train.jsonl", rows)
    _as_jsonl(data / "validation.jsonl", rows)
    first = staging()
    del bucket.uploaded[:]
    assert staging() == first
    assert bucket.uploaded == []
    staging(Reading(summary="other"))
    assert bucket.uploaded == ["train.jsonl", "validation.jsonl"]
    assert _lines(bucket.path / "train.jsonl")[3] == {
        "dialogue": ROWS[3]["dialogue"],
        "summary": "Nº 3.".upper(),
    }


def test_without_a_validation_split_some_of_train_is_held_out(
    data: Path, bucket: Folder, staging: Callable[..., Manifest], capfd: Any
) -> None:
    _as_jsonl(data / "train.jsonl", list(ROWS))
    staging()
    held, kept = _lines(bucket.path / "validation.jsonl"), _lines(bucket.path / "train.jsonl")
    assert held == [ROWS[19], ROWS[39]]
    assert kept == [row for row in ROWS if row not in held]
    assert "held out" in capfd.readouterr().out


def test_rows_without_a_text_are_left_out_and_counted(
    data: Path, bucket: Folder, staging: Callable[..., Manifest], capfd: Any
) -> None:
    """knkarthick/samsum has one."""
    rows: list[dict[str, Any]] = [
        *ROWS[:3],
        {"dialogue": None, "summary": "x"},
        {"dialogue": "A: hi", "summary": " "},
    ]
    _as_parquet(data / "train.parquet", rows)
    _as_parquet(data / "validation.parquet", list(ROWS))
    staging()
    assert _lines(bucket.path / "train.jsonl") == ROWS[:3]
    assert "train: 2 rows left out" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"train.jsonl": [{"text": "a", "summary": "b"}]},
            r"split 'train', has no column dialogue; it has text, summary\. .+--dialogue-column",
        ),
        ({"test.jsonl": ROWS}, r"no split 'train'; it has test"),
        ({"train.zip": ROWS}, r"has no \.csv, \.json.+choose another"),
        ({"train.jsonl": []}, r"org/dialogues has a file without rows"),
    ],
)
def test_what_can_not_be_staged_is_told(
    files: dict[str, list[dict[str, Any]]],
    said: str,
    data: Path,
    bucket: Folder,
    staging: Callable[..., Manifest],
    home: Path,
) -> None:
    for name, rows in files.items():
        _as_jsonl(data / name, rows)
    with pytest.raises(StageError, match=said):
        staging()
    assert list(bucket.path.iterdir()) == []
    assert list(home.iterdir()) == []


def test_the_card_says_which_file_is_which_split(
    data: Path, bucket: Folder, staging: Callable[..., Manifest]
) -> None:
    (data / "README.md").write_text(
        "---\nconfigs:\n- config_name: one\n  data_files:\n"
        "  - split: train\n    path: corpus/a.jsonl\n  - split: validation\n    path: b.jsonl\n"
        "- config_name: two\n  data_files: b.jsonl\n---\n"
    )
    (data / "corpus").mkdir()
    _as_jsonl(data / "corpus" / "a.jsonl", ROWS[:9])
    _as_jsonl(data / "b.jsonl", ROWS[9:])
    with pytest.raises(StageError, match=r"can't be read: .*[Cc]onfig name is missing"):
        staging()
    staging(Reading(config="one"))
    assert _lines(bucket.path / "train.jsonl") == ROWS[:9]
