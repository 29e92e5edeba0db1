"""Staging a model: from a stand-in of the hub into ocimock's Object Storage."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest

from demo.hub import Access, Hub, running_hub
from jobs.recipes import buckets
from jobs.recipes.buckets import Bucket
from jobs.recipes.stage import hub as hub_module
from jobs.recipes.stage import manifest as manifests
from jobs.recipes.stage.__main__ import main
from jobs.recipes.stage.hub import repository
from jobs.recipes.stage.manifest import Manifest, ManifestError, StagedFile, check
from jobs.recipes.stage.progress import in_words, told
from ocimock import MockedCloud, mock_oci

MODEL = "meta-llama/Tiny"
TOKEN, STRANGER = "hf_madeUpForThisTest", "hf_madeUpStranger"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = "model.safetensors.index.json"
SMALL = ("LICENSE.txt", "config.json", INDEX, "tokenizer.json", "tokenizer.model")
LEFT_OUT = (
    "pytorch_model-00001-of-00001.bin",
    "pytorch_model.bin.index.json",
    "consolidated.safetensors",
    "original/params.json",
    ".gitattributes",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The hub's folder, with one model in it."""
    folder = tmp_path / "hub" / "models" / MODEL
    (folder / "original").mkdir(parents=True)
    for name in (*SMALL, *LEFT_OUT):
        (folder / name).write_text(f"content of {name}")
    for number, name in enumerate(SHARDS):
        (folder / name).write_bytes(bytes([number]) * 25_000)
    weights = {"a": SHARDS[0], "b": SHARDS[1], "c": SHARDS[0]}
    (folder / INDEX).write_text(json.dumps({"weight_map": weights}))
    return tmp_path / "hub"


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as found:
        details = oci.object_storage.models.CreateBucketDetails(
            name="b", compartment_id=found.compartment_id
        )
        storage = oci.object_storage.ObjectStorageClient(found.config)
        storage.create_bucket(found.namespace, details)
        yield found


@pytest.fixture
def bucket(cloud: MockedCloud) -> Bucket:
    return Bucket.at(f"oci://b@{cloud.namespace}/base/tiny")


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small enough that a shard has several."""
    monkeypatch.setattr(hub_module, "PART_SIZE", 10_000)
    monkeypatch.setattr(buckets, "PART_SIZE", 10_000)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_SECRET_NAME", "HF_TOKEN_VAULT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    """As HF_ENDPOINT does, which huggingface_hub reads when it is imported."""

    def point(hub: Hub) -> None:
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)

    return point


def _stage(bucket: Bucket, *more: str) -> int:
    return main(["--model", MODEL, "--model-to", bucket.uri(), *more])


def _downloads(hub: Hub) -> list[str]:
    return [asked.rpartition("/")[2] for asked in hub.asked if "/resolve/" in asked]


def test_a_model_is_staged_with_what_a_fine_tuning_needs(
    bucket: Bucket, folder: Path, endpoint: Any, tmp_path: Path, capfd: Any
) -> None:
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 0
        commit = repository("model", MODEL, "main", None).commit
        del hub.asked[:]
        assert _stage(bucket) == 0
        assert hub.asked == [f"GET /api/models/{MODEL}/revision/main"]

    names = {one.name for one in bucket.list()}
    assert names == {*SMALL, *SHARDS, "tunestack-stage.json"}
    mount = tmp_path / "mount"
    mount.mkdir()
    for name in names:
        bucket.download(name, mount / name)
        if name != "tunestack-stage.json":
            assert (mount / name).read_bytes() == (folder / "models" / MODEL / name).read_bytes()
    manifest = check(mount, read_all=True)
    assert (manifest.repo, manifest.revision, manifest.commit) == (MODEL, "main", commit)
    assert "is already in" in capfd.readouterr().out


def test_what_lies_there_already_is_not_fetched_again(
    bucket: Bucket, folder: Path, endpoint: Any
) -> None:
    """The run before was cut off: one shard and the manifest are missing."""
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 0
        for name in (SHARDS[1], "tunestack-stage.json"):
            bucket.delete(name)
        del hub.asked[:]
        assert _stage(bucket) == 0
        # The index says which shards there are; the smallest file, whether they may be had.
        assert set(_downloads(hub)) == {INDEX, "LICENSE.txt", SHARDS[1]}
        assert _downloads(hub).count(SHARDS[1]) == 3
    assert bucket.head("tunestack-stage.json") is not None


def test_another_commit_replaces_what_changed_and_removes_what_went(
    bucket: Bucket, folder: Path, endpoint: Any
) -> None:
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 0
    model = folder / "models" / MODEL
    (model / "config.json").write_text("another")
    (model / "tokenizer.model").unlink()
    for name in (*SHARDS, INDEX):
        (model / name).unlink()
    (model / "model.safetensors").write_bytes(b"whole")
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 0
        assert set(_downloads(hub)) == {"config.json", "model.safetensors"}
    assert {one.name for one in bucket.list()} == {
        "LICENSE.txt",
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "tunestack-stage.json",
    }
    assert bucket.read("config.json") == b"another"


def test_a_file_that_arrives_damaged_is_not_staged(
    bucket: Bucket, folder: Path, endpoint: Any, capfd: Any
) -> None:
    with running_hub(folder) as hub:
        endpoint(hub)
        hub.repositories.find("models", MODEL)  # what it lists from here on
        (folder / "models" / MODEL / SHARDS[0]).write_bytes(b"x" * 25_000)
        assert _stage(bucket) == 1
    said = capfd.readouterr().err
    assert f"stage: {SHARDS[0]} of {MODEL} arrived damaged" in said
    names = {one.name for one in bucket.list()}
    assert not names & {SHARDS[0], "tunestack-stage.json"}
    assert bucket.abort_uploads(SHARDS[0]) == 0


def test_while_a_commit_takes_anothers_place_the_folder_is_not_whole(
    bucket: Bucket, folder: Path, endpoint: Any
) -> None:
    """The run is cut off; the next one has no manifest that tells what the first commit left."""
    model = folder / "models" / MODEL
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 0
    for name in (*SHARDS, INDEX):
        (model / name).unlink()
    (model / "model.safetensors").write_bytes(b"whole")
    with running_hub(folder) as hub:
        endpoint(hub)
        hub.repositories.find("models", MODEL)
        (model / "model.safetensors").write_bytes(b"wrong")
        assert _stage(bucket) == 1
        assert bucket.head("tunestack-stage.json") is None
        (model / "model.safetensors").write_bytes(b"whole")
        assert _stage(bucket) == 0
    weights = [one.name for one in bucket.list() if one.name.endswith(".safetensors")]
    assert weights == ["model.safetensors"]
    assert bucket.head("tunestack-stage.json") is not None


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "this run has none"),
        (STRANGER, "with the account that the token in the Vault belongs to"),
        ("hf_unknownToAll", "the hub does not know the token"),
    ],
)
def test_a_gated_model_says_where_its_licence_is(
    token: str,
    said: str,
    bucket: Bucket,
    folder: Path,
    endpoint: Any,
    capfd: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    access = Access(frozenset({TOKEN}), frozenset({STRANGER}), gated=("meta-llama/*",))
    with running_hub(folder, access) as hub:
        endpoint(hub)
        assert _stage(bucket) == 1
        printed = "".join(capfd.readouterr())
        assert said in printed
        assert MODEL in printed
        assert "Traceback" not in printed
        assert not token or token not in printed
        if token != "hf_unknownToAll":
            assert f"Accept its licence at {hub.url}/{MODEL}" in printed
        assert list(bucket.list()) == []

        monkeypatch.setenv("HF_TOKEN", TOKEN)
        assert _stage(bucket) == 0
    assert TOKEN not in "".join(capfd.readouterr())


def test_pickled_weights_are_refused_with_what_to_do(
    bucket: Bucket, folder: Path, endpoint: Any, capfd: Any
) -> None:
    for name in (*SHARDS, INDEX):
        (folder / "models" / MODEL / name).unlink()
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 1
    said = capfd.readouterr().err
    assert "has no safetensors, only pytorch_model-00001-of-00001.bin" in said
    assert "refs/pr/N" in said


def test_a_shard_that_the_index_lists_must_be_there(
    bucket: Bucket, folder: Path, endpoint: Any, capfd: Any
) -> None:
    (folder / "models" / MODEL / SHARDS[1]).unlink()
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket) == 1
    assert f"lacks {SHARDS[1]}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "absent/model"], "there is no model absent/model on http"),
        (["--model", "no name!"], "'no name!' is no name on the hub"),
        (["--model-revision", "v2"], "has no revision 'v2'"),
    ],
)
def test_what_the_hub_has_not(
    arguments: list[str], said: str, bucket: Bucket, folder: Path, endpoint: Any, capfd: Any
) -> None:
    with running_hub(folder) as hub:
        endpoint(hub)
        assert _stage(bucket, *arguments) == 1
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to stage"),
        (["--model", "a/b"], "--model and --model-to go together"),
        (
            ["--dataset-to", "oci://b@n/x", "--model", "a/b", "--model-to", "oci://b@n/x"],
            "--dataset",
        ),
        (["--model", "a/b", "--model-to", "b/x"], "write oci://BUCKET@NAMESPACE/FOLDER"),
        (["--model", "a/b", "--model-to", "oci://b@n"], "names no folder"),
    ],
)
def test_mistakes_in_the_arguments(arguments: list[str], said: str, cloud: Any, capfd: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert said in capfd.readouterr().err


def test_a_cancelled_run_takes_back_what_it_began(
    bucket: Bucket, folder: Path, endpoint: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """SIGTERM comes in the middle of a shard."""
    import signal

    real = type(bucket.client).upload_part
    sent: list[int] = []

    def upload_part(*args: Any, **how: Any) -> Any:
        sent.append(args[5])
        if len(sent) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*args, **how)

    monkeypatch.setattr(type(bucket.client), "upload_part", upload_part)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with running_hub(folder) as hub:
            endpoint(hub)
            assert _stage(bucket) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "run it again" in capfd.readouterr().err
    assert sum(bucket.abort_uploads(name) for name in SHARDS) == 0
    assert bucket.head("tunestack-stage.json") is None


# --- the manifest ----------------------------------------------------------------------------


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    content = b"weights"
    (tmp_path / "model.safetensors").write_bytes(content)
    file = StagedFile("model.safetensors", len(content), hashlib.sha256(content).hexdigest())
    manifest = Manifest("model", MODEL, "main", "c0ffee", (file,))
    (tmp_path / manifests.NAME).write_bytes(manifest.to_json())
    return tmp_path


def test_a_whole_folder_is_what_was_staged(staged: Path) -> None:
    assert check(staged, read_all=True).commit == "c0ffee"
    assert manifests.find(staged / "elsewhere") is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.safetensors", None, "is missing"),
        ("model.safetensors", b"less", "has 4 bytes, it should have 7"),
        ("model.safetensors", b"changed", "is damaged: its SHA-256"),
        (manifests.NAME, None, "has not run, or not to its end"),
        (manifests.NAME, b"{", "can't be read"),
        (manifests.NAME, b'{"format": 1}', "can't be read"),
        (manifests.NAME, b'{"format": 2}', "another version"),
    ],
)
def test_a_folder_that_is_not_whole_is_told(
    name: str, content: bytes | None, said: str, staged: Path
) -> None:
    (staged / name).unlink()
    if content is not None:
        (staged / name).write_bytes(content)
    with pytest.raises(ManifestError, match=said):
        check(staged, read_all=True)


# --- the log's lines -------------------------------------------------------------------------


def test_a_large_file_is_told_of_now_and_then(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr("jobs.recipes.stage.progress.EVERY", 10_000_000)
    parts = [bytes(4_000_000)] * 8
    assert list(told(parts, "a.safetensors", 32_000_000)) == parts
    assert capfd.readouterr().out.splitlines() == [
        "stage: a.safetensors: 12.0 MB of 32.0 MB",
        "stage: a.safetensors: 20.0 MB of 32.0 MB",
    ]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1_234_567, "1.2 MB"), (26e9, "26.0 GB")]
)
def test_sizes_in_words(size: int, text: str) -> None:
    assert in_words(size) == text
