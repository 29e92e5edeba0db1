"""The stand-in for the Hugging Face hub, asked by the hub's own library."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, errors, hf_hub_download, snapshot_download

from demo.hub import Access, Hub, running_hub

MODEL, GATED, DATASET = "org/tiny", "org/gated", "org/dialogues"
ACCESS = Access(frozenset({"hf_member"}), frozenset({"hf_stranger"}), gated=("org/gated",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    for name in (MODEL, GATED):
        model = folder / "models" / name
        model.mkdir(parents=True)
        (model / "config.json").write_text("{}")
        (model / "model.safetensors").write_bytes(bytes(range(256)) * 8)
    data = folder / "datasets" / DATASET
    (data / "data").mkdir(parents=True)
    (data / "data" / "train.csv").write_text("dialogue,summary\na,b\n")
    return folder


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[Hub]:
    with running_hub(folder, ACCESS) as hub:
        yield hub


def _api(hub: Hub, token: str | bool = False) -> HfApi:
    return HfApi(endpoint=hub.url, token=token)


def test_a_repository_is_listed_with_the_checksums_of_its_files(hub: Hub, folder: Path) -> None:
    about = _api(hub).model_info(MODEL, files_metadata=True)
    config, weights = about.siblings or []
    # As `git hash-object` has it.
    assert (config.rfilename, config.size, config.blob_id) == (
        "config.json",
        2,
        "9e26dfeeb6e641a33dae4961196235bdb965b21b",
    )
    content = (folder / "models" / MODEL / "model.safetensors").read_bytes()
    assert weights.lfs is not None
    assert weights.lfs.sha256 == hashlib.sha256(content).hexdigest()
    assert _api(hub).dataset_info(DATASET).sha != about.sha
    assert _api(hub).model_info(MODEL, revision=about.sha).sha == about.sha


def test_files_are_downloaded_as_from_the_real_hub(hub: Hub, folder: Path, tmp_path: Path) -> None:
    whole = snapshot_download(MODEL, endpoint=hub.url, cache_dir=tmp_path, token=False)
    for file in (folder / "models" / MODEL).iterdir():
        assert (Path(whole) / file.name).read_bytes() == file.read_bytes()
    one = hf_hub_download(
        DATASET,
        "data/train.csv",
        repo_type="dataset",
        endpoint=hub.url,
        cache_dir=tmp_path,
        token=False,
    )
    assert Path(one).read_text() == "dialogue,summary\na,b\n"


def test_trees_and_paths(hub: Hub) -> None:
    api = _api(hub)
    assert [one.path for one in api.list_repo_tree(DATASET, repo_type="dataset")] == ["data"]
    everything = api.list_repo_tree(DATASET, repo_type="dataset", recursive=True)
    assert [one.path for one in everything] == ["data", "data/train.csv"]
    below = api.list_repo_tree(DATASET, "data", repo_type="dataset")
    assert [one.path for one in below] == ["data/train.csv"]
    found = api.get_paths_info(DATASET, ["data/train.csv", "absent"], repo_type="dataset")
    assert [one.path for one in found] == ["data/train.csv"]


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "length"),
    [
        ("bytes=0-9", 206, "bytes 0-9/2048", 10),
        ("bytes=2040-9999", 206, "bytes 2040-2047/2048", 8),
        ("bytes=2000-", 206, "bytes 2000-2047/2048", 48),
        ("bytes=2048-", 416, "bytes */2048", 0),
        ("", 200, None, 2048),
    ],
)
def test_ranges(
    asked: str, status: int, content_range: str | None, length: int, hub: Hub, folder: Path
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port)
    headers = {"Range": asked} if asked else {}
    connection.request("GET", f"/{MODEL}/resolve/main/model.safetensors", headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert (answer.status, answer.getheader("Content-Range")) == (status, content_range)
    whole = (folder / "models" / MODEL / "model.safetensors").read_bytes()
    start = int(asked.removeprefix("bytes=").partition("-")[0] or 0)
    assert content == (whole[start : start + length] if length else b"")


def test_who_may_download_a_gated_model(hub: Hub, tmp_path: Path) -> None:
    """Everybody sees it; only who accepted its licence gets its files."""

    def download(token: str | bool) -> str:
        return hf_hub_download(
            GATED, "config.json", endpoint=hub.url, cache_dir=tmp_path, token=token
        )

    assert _api(hub).model_info(GATED).siblings
    for token in (False, "hf_stranger"):
        with pytest.raises(errors.GatedRepoError):
            download(token)
    with pytest.raises(errors.HfHubHTTPError, match="Invalid credentials") as caught:
        _api(hub, "hf_unknown").model_info(GATED)
    assert not isinstance(caught.value, errors.RepositoryNotFoundError)
    assert Path(download("hf_member")).read_text() == "{}"


def test_what_is_not_there(hub: Hub, tmp_path: Path) -> None:
    api = _api(hub)
    with pytest.raises(errors.RepositoryNotFoundError):
        api.model_info("org/absent")
    with pytest.raises(errors.RevisionNotFoundError):
        api.model_info(MODEL, revision="v2")
    with pytest.raises(errors.EntryNotFoundError):
        hf_hub_download(MODEL, "absent", endpoint=hub.url, cache_dir=tmp_path, token=False)
    with pytest.raises(errors.RevisionNotFoundError):
        hf_hub_download(
            MODEL, "config.json", revision="v2", endpoint=hub.url, cache_dir=tmp_path, token=False
        )
    connection = http.client.HTTPConnection("127.0.0.1", hub.port)
    connection.request("GET", "/%2e%2e/models/resolve/main/org%2ftiny%2fconfig.json")
    assert connection.getresponse().status == 404
    connection.close()


def test_the_command_says_its_port_and_ends_at_sigterm(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.hub", "--folder", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HUB_TOKEN": "hf_member"},
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip().rpartition(":")[2]
        answers: list[Any] = []
        for headers in ({}, {"Authorization": "Bearer hf_member"}):
            connection = http.client.HTTPConnection("127.0.0.1", int(port))
            connection.request("HEAD", f"/{MODEL}/resolve/main/config.json", headers=headers)
            answers.append(connection.getresponse().status)
            connection.close()
        assert answers == [401, 200]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
