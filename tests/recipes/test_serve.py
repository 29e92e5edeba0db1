"""``recipes.serve``: settings, the check of the model, vLLM's command line, the paths."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobs.recipes.serve import model_folder, vllm_command
from jobs.recipes.serve.model_folder import ModelError
from jobs.recipes.serve.paths import ContractPaths
from jobs.recipes.serve.settings import Backend, Settings, SettingsError

_JOBS = Path(__file__).resolve().parents[2] / "jobs"


# --- settings ------------------------------------------------------------------------------


def test_the_model_is_below_what_oci_mounts() -> None:
    assert Settings.read({}).model == Path("/opt/ds/model/deployed_model")
    below = Settings.read({"BASE_MODEL": "merged/llama/"}).model
    assert below == Path("/opt/ds/model/deployed_model/merged/llama")
    assert Settings.read({"MODEL": "/models/one"}).model == Path("/models/one")
    # Where nothing can be mounted at that path.
    elsewhere = Settings.read({"MODEL_ROOT": "/elsewhere", "BASE_MODEL": "merged"})
    assert elsewhere.model == Path("/elsewhere/merged")


def test_without_settings_it_is_the_contract() -> None:
    found = Settings.read({})
    assert (found.host, found.port) == ("0.0.0.0", 8080)
    assert (found.predict_endpoint, found.health_endpoint) == ("/v1/completions", "/health")
    assert found.served_name == "odsc-llm"
    assert found.backend is Backend.TRANSFORMERS  # vLLM is not installed beside these tests


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "http"}, ("PORT", "'http'", "1 to 65535")),
        ({"PORT": "70000"}, ("PORT", "1 to 65535")),
        ({"TENSOR_PARALLELISM": "0"}, ("TENSOR_PARALLELISM", "'0'")),
        ({"MODEL_DEPLOY_PREDICT_ENDPOINT": "v1"}, ("MODEL_DEPLOY_PREDICT_ENDPOINT", "'v1'")),
        ({"PARAMS": "--a 'b"}, ("PARAMS", "words")),
        ({"SERVE_BACKEND": "tgi"}, ("SERVE_BACKEND", "'tgi'", "vllm or transformers")),
        ({"SERVE_BACKEND": "vllm"}, ("vLLM is not installed",)),
        ({"BASE_MODEL": "../../etc"}, ("BASE_MODEL", "below")),
    ],
)
def test_a_wrong_variable_is_named(variables: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read(variables)
    for word in words:
        assert word in str(caught.value)


# --- the model -----------------------------------------------------------------------------


def safetensors(tensors: Mapping[str, int]) -> bytes:
    """A file of tensors of so many bytes each."""
    place, header = 0, {}
    for name, size in tensors.items():
        header[name] = {"dtype": "U8", "shape": [size], "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(place)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    shards = {"one.safetensors": {"a": 3}, "two.safetensors": {"b": 5}}
    for name, tensors in shards.items():
        (folder / name).write_bytes(safetensors(tensors))
    weights = {tensor: name for name, found in shards.items() for tensor in found}
    index = {"metadata": {}, "weight_map": weights}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_a_whole_model_is_found_in_its_folder_or_alone_below(model: Path) -> None:
    assert model_folder.check(model) == model
    assert model_folder.check(model.parent) == model


def refused(folder: Path, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        model_folder.check(folder)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_model_lacks_is_named(model: Path) -> None:
    (model / "two.safetensors").unlink()
    refused(model, "lacks 1 of 2", "two.safetensors")
    (model / "model.safetensors.index.json").write_text("{")
    refused(model, "index.json", "can't be read")
    (model / "model.safetensors.index.json").unlink()
    (model / "one.safetensors").unlink()
    refused(model, "no weights", "merge")


def test_a_shard_that_is_cut_off(model: Path) -> None:
    whole = (model / "two.safetensors").read_bytes()
    (model / "two.safetensors").write_bytes(whole[:-1])
    refused(model, "two.safetensors", f"{len(whole) - 1} bytes", str(len(whole)))
    (model / "two.safetensors").write_bytes(whole[:4])
    refused(model, "two.safetensors", "cut off")
    (model / "two.safetensors").write_bytes((3).to_bytes(8, "little") + b"no!")
    refused(model, "two.safetensors", "header")


def test_a_folder_that_is_no_model(model: Path) -> None:
    refused(model / "nowhere", "is no folder", "config.json", "BASE_MODEL")
    (model / "config.json").write_text("{}")
    refused(model, "model_type")
    (model / "config.json").unlink()
    refused(model, "no config.json")
    (model / "adapter_config.json").write_text("{}")
    refused(model, "LoRA adapter", "recipes.merge")


def test_a_model_without_tokenizer(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    refused(model, "no tokenizer")


def test_one_of_several_models_must_be_named(model: Path) -> None:
    other = model.parent / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "llama"}')
    refused(model.parent, "several models", "model", "other", "BASE_MODEL")


def test_a_mistake_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recipes.serve"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_JOBS), "MODEL": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"serve: {tmp_path} has no config.json, nor has a folder below it: it is no model"
    ]


# --- vLLM's command line -------------------------------------------------------------------


def options(settings: Settings) -> list[str]:
    words = vllm_command.words(settings, Path("/model"))
    assert words[:3] == [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    return words[3:]


def test_the_contract_becomes_options() -> None:
    found = options(Settings.read({"TENSOR_PARALLELISM": "2", "PARAMS": "--max-model-len 4096"}))
    pairs = dict(zip(found[::2], found[1::2], strict=True))
    assert pairs == {
        "--model": "/model",
        "--served-model-name": "odsc-llm",
        "--host": "0.0.0.0",
        "--port": "8080",
        "--tensor-parallel-size": "2",
        "--middleware": "recipes.serve.paths.ContractPaths",
        "--max-model-len": "4096",
    }


def test_params_go_before_what_would_be_chosen() -> None:
    params = "--served-model-name mine --tensor-parallel-size=4 --port 9000"
    found = options(Settings.read({"PARAMS": params, "TENSOR_PARALLELISM": "2"}))
    assert "odsc-llm" not in found
    assert "--tensor-parallel-size" not in found
    assert found.count("--port") == 1
    assert Settings.read({"PARAMS": params}).served_name == "mine"


def test_serve_params_come_last_and_win() -> None:
    settings = Settings.read({"PARAMS": "--dtype bfloat16", "SERVE_PARAMS": "--dtype=float32"})
    assert options(settings)[-3:] == ["--dtype", "bfloat16", "--dtype=float32"]
    assert settings.param("--dtype") == "float32"


def test_a_secret_option_is_not_shown() -> None:
    shown = vllm_command.shown(["vllm", "--api-key", "s3cret", "--hf-token=t0ken", "--port", "1"])
    assert shown == "vllm --api-key '***' '--hf-token=***' --port 1"


def test_vllm_finds_the_middleware() -> None:
    found = vllm_command.environment({"PYTHONPATH": "/other", "A": "b"})
    assert found == {"PYTHONPATH": f"{_JOBS}{os.pathsep}/other", "A": "b"}
    assert vllm_command.environment(found) == found


# --- paths ---------------------------------------------------------------------------------


def asked(monkeypatch: pytest.MonkeyPatch, path: str, route: str = "", **variables: str) -> Any:
    """The path at which the server behind the middleware is asked."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    seen: list[str] = []

    async def server(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        assert scope["raw_path"] == scope["path"].encode()

    headers = [(b"route", route.encode())] if route else []
    scope = {"type": "http", "path": path, "raw_path": path.encode(), "headers": headers}
    asyncio.run(ContractPaths(server)(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


def test_predict_leads_to_the_endpoint_of_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "/predict") == "/v1/completions"
    assert asked(monkeypatch, "/v1/models") == "/v1/models"
    chat = "/v1/chat/completions"
    assert asked(monkeypatch, "/predict", MODEL_DEPLOY_PREDICT_ENDPOINT=chat) == chat


def test_a_request_can_name_another_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "/predict", "/v1/embeddings") == "/v1/embeddings"
    assert asked(monkeypatch, "/predict", "/metrics") == "/v1/completions"


def test_health_has_its_own_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "/health") == "/health"
    assert asked(monkeypatch, "/health", MODEL_DEPLOY_HEALTH_ENDPOINT="/ping") == "/ping"


# --- the image -----------------------------------------------------------------------------

_CONTEXT = _JOBS / "recipes"
_DOCKERFILE = _CONTEXT / "serve" / "Dockerfile"
_PAGE = _JOBS.parent / "docs" / "serving.md"


def test_what_the_image_copies_is_all_that_it_needs(tmp_path: Path) -> None:
    lines = _DOCKERFILE.read_text().splitlines()
    for line in lines:
        if line.startswith("COPY"):
            *_, source, target = line.split()
            place = tmp_path / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            copied = shutil.copytree if (_CONTEXT / source).is_dir() else shutil.copy
            copied(_CONTEXT / source, place)
    entry = next(line for line in lines if line.startswith("ENTRYPOINT"))
    _, *words = json.loads(entry.removeprefix("ENTRYPOINT"))
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "opt/tunestack")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("serve: /opt/ds/model/deployed_model is no folder")


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    lines = _DOCKERFILE.read_text().splitlines()
    (base,) = [line for line in lines if line.startswith("FROM")]
    assert re.fullmatch(r"FROM vllm/vllm-openai:v\d+\.\d+\.\d+", base)
    assert "USER datascience" in lines


def test_the_page_builds_the_image_from_what_is_there() -> None:
    page = _PAGE.read_text()
    (build,) = re.findall(r"^\$ (docker build .*)$", page, re.MULTILINE)
    *_, file, context = shlex.split(build)
    assert (_JOBS.parent / file, _JOBS.parent / context) == (_DOCKERFILE, _CONTEXT)


def test_the_page_names_every_variable_and_its_default() -> None:
    found = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", _PAGE.read_text()))
    source = (_CONTEXT / "serve" / "settings.py").read_text()
    read = set(re.findall(r'environment(?:\.get\(|, )"([A-Z_]+)"', source))
    assert read - found == {"MODEL_ROOT"}  # for ocimock alone
    assert found - read <= {"CREATING", "ACTIVE", "FAILED"}
