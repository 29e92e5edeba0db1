"""Merging what full-parameter runs save: sharded checkpoints, written by two real ranks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from safetensors.torch import load_file  # type: ignore[import-not-found]
from transformers import AutoModelForCausalLM

from jobs.recipes.merge.__main__ import main
from tests.recipes.tiny import make

# Each rank saves its part of a model whose weights have all moved by 0.5: with FSDP2, and with
# FSDP1 in the way of llama-recipes at the commit that the tutorial pins.
SAVE = """
import sys, torch, torch.distributed as dist, torch.distributed.checkpoint as dcp
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP, StateDictType, fully_shard
from transformers import AutoModelForCausalLM
base, folder = sys.argv[1:]
dist.init_process_group("gloo")

def moved():
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5)
    return model

model = moved()
for layer in model.model.layers:
    fully_shard(layer)
fully_shard(model)
dcp.save({"model": model.state_dict()}, storage_writer=dcp.FileSystemWriter(f"{folder}/fsdp2"))
model = FSDP(moved(), device_id=torch.device("cpu"))
with FSDP.state_dict_type(model, StateDictType.SHARDED_STATE_DICT):
    state = {"model": model.state_dict()}
deep = f"{folder}/fsdp1/fine-tuned-meta-llama/Llama-2-7b-hf"
dcp.save(state, storage_writer=dcp.FileSystemWriter(deep))
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, _ = make(tmp_path_factory.mktemp("tiny"), train=24, validation=4)
    return base


@pytest.fixture(scope="module")
def checkpoints(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    script = folder / "save.py"
    script.write_text(SAVE)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    run = subprocess.run(
        [*launch, str(script), str(tiny), str(folder)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def _merge(base: Path, checkpoint: Path, output: Path) -> int:
    arguments = ["--base", str(base), "--fsdp-checkpoint", str(checkpoint)]
    return main([*arguments, "--output", str(output), "--skip-smoke-test"])


def _tensors(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in folder.glob("*.safetensors"):
        found |= load_file(file)
    return found


@pytest.mark.parametrize("kind", ["fsdp1", "fsdp2"])
def test_it_becomes_a_model_again(
    kind: str, tiny: Path, checkpoints: Path, tmp_path: Path, home: Path
) -> None:
    out = tmp_path / "out"
    assert len(list((checkpoints / kind).rglob("*.distcp"))) == 2
    assert _merge(tiny, checkpoints / kind, out) == 0

    base, merged = _tensors(tiny), _tensors(out)
    assert merged.keys() == base.keys()
    for name, tensor in merged.items():
        assert tensor.equal(base[name] + 0.5), name
    assert sorted(file.name for file in out.glob("model*")) == sorted(
        file.name for file in tiny.glob("model*")
    )
    AutoModelForCausalLM.from_pretrained(out)
    record = json.loads((out / "tunestack.json").read_text())
    assert (record["method"], record["checkpoint"]["files"]) == ("full", 2)
    assert list(home.iterdir()) == []


def _saved(tensors: dict[str, Any], folder: Path) -> Path:
    dcp.save(tensors, storage_writer=dcp.FileSystemWriter(folder), no_dist=True)
    return folder


def test_types_are_the_base_models(tiny: Path, tmp_path: Path) -> None:
    """A run in mixed precision keeps its weights in fp32."""
    base = tmp_path / "base"
    AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.bfloat16).save_pretrained(base)
    checkpoint = _saved({"model": _tensors(tiny)}, tmp_path / "checkpoint")
    assert _merge(base, checkpoint, tmp_path / "out") == 0
    for name, tensor in _tensors(tmp_path / "out").items():
        assert tensor.equal(_tensors(tiny)[name].to(torch.bfloat16))


def test_another_models_checkpoint_is_told(tiny: Path, tmp_path: Path, capfd: Any) -> None:
    tensors = _tensors(tiny)
    tensors["model.norm.weight"] = torch.zeros(3)
    checkpoint = _saved({"model": tensors}, tmp_path / "shapes")
    assert _merge(tiny, checkpoint, tmp_path / "out") == 1
    assert "model.norm.weight is (3,) in the checkpoint and (64,)" in capfd.readouterr().err

    del tensors["model.norm.weight"]
    checkpoint = _saved({"model": tensors}, tmp_path / "names")
    assert _merge(tiny, checkpoint, tmp_path / "out") == 1
    assert "lacks 1 of the base model's 21 tensors, model.norm.weight" in capfd.readouterr().err


def test_a_checkpoint_that_can_not_be_read_is_told(tiny: Path, tmp_path: Path, capfd: Any) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    assert _merge(tiny, folder, tmp_path / "out") == 1
    assert "no .metadata at or under" in capfd.readouterr().err
    (folder / ".metadata").write_bytes(b"cut off")
    assert _merge(tiny, folder, tmp_path / "out") == 1
    assert ".metadata can't be read" in capfd.readouterr().err
