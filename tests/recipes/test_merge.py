"""Merging: the same as peft does, with the memory of a shard; what can't be merged is told."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file  # type: ignore[import-not-found]
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from jobs.recipes.merge.__main__ import main
from jobs.recipes.stage.manifest import NAME as MANIFEST
from jobs.recipes.stage.manifest import Manifest, StagedFile
from tests.recipes.tiny import make

JOBS = Path(__file__).resolve().parents[2] / "jobs"
ATTENTION = ["q_proj", "v_proj"]
LINEAR = [*ATTENTION, "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, _ = make(tmp_path_factory.mktemp("tiny"), train=24, validation=4)
    return base


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def _load(folder: Path, dtype: Any = torch.float32) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def _adapter(base: Path, folder: Path, *, dtype: Any = torch.float32, **how: Any) -> Path:
    """An adapter as after a training: none of its weights is zero."""
    torch.manual_seed(3)
    model = get_peft_model(_load(base, dtype), LoraConfig(**{"r": 4, "lora_alpha": 8, **how}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(
        folder, **({"save_embedding_layers": False} if "embed" not in str(how) else {})
    )
    return folder


def _merge(base: Path, adapter: Path, output: Path, *more: str) -> int:
    arguments = ["--base", str(base), "--adapter", str(adapter), "--output", str(output)]
    return main([*arguments, "--skip-smoke-test", *more])


def _tensors(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in folder.glob("*.safetensors"):
        found |= load_file(file)
    return found


def _logits(model: Any) -> Any:
    with torch.no_grad():
        return model(torch.arange(3, 60).reshape(3, 19)).logits


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"target_modules": ATTENTION}, id="attention"),
        pytest.param({"target_modules": LINEAR, "use_rslora": True}, id="rslora"),
        pytest.param(
            {
                "target_modules": LINEAR,
                "rank_pattern": {"q_proj": 2, "layers.1.self_attn.v_proj": 3},
                "alpha_pattern": {"k_proj": 32, "layers.0.mlp.up_proj": 5},
            },
            id="patterns",
        ),
        pytest.param(
            {"target_modules": ATTENTION, "modules_to_save": ["lm_head", "embed_tokens"]},
            id="modules-to-save",
        ),
        pytest.param({"target_modules": [*ATTENTION, "embed_tokens", "lm_head"]}, id="embeddings"),
    ],
)
def test_it_merges_as_peft_does(how: dict[str, Any], tiny: Path, tmp_path: Path) -> None:
    adapter = _adapter(tiny, tmp_path / "adapter", **how)
    with_adapter = PeftModel.from_pretrained(_load(tiny), str(adapter)).eval()
    before = _logits(with_adapter)

    assert _merge(tiny, adapter, tmp_path / "out") == 0

    expected = with_adapter.merge_and_unload().state_dict()
    merged = _tensors(tmp_path / "out")
    assert merged.keys() == expected.keys()
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-6)
    changed = [name for name, tensor in _tensors(tiny).items() if not tensor.equal(merged[name])]
    assert changed, "the adapter changes nothing: this test would prove nothing"
    torch.testing.assert_close(_logits(_load(tmp_path / "out")), before, rtol=0, atol=1e-4)


def _llama(folder: Path, *, tied: bool, shard: str = "5GB", dtype: Any = None, **how: Any) -> Path:
    measures = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    config = LlamaConfig(
        vocab_size=64, num_attention_heads=2, tie_word_embeddings=tied, **{**measures, **how}
    )
    torch.manual_seed(1)
    model = LlamaForCausalLM(config).to(dtype or torch.float32)
    model.save_pretrained(folder, max_shard_size=shard)
    return folder


@pytest.mark.parametrize(
    ("how", "is_untied"),
    [
        ({"target_modules": ATTENTION}, False),
        ({"target_modules": ["q_proj", "embed_tokens"]}, True),
        ({"target_modules": ["q_proj", "lm_head"]}, True),
        ({"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}, True),
    ],
)
def test_tied_embeddings_are_untied_where_the_adapter_parts_them(
    how: dict[str, Any], is_untied: bool, tmp_path: Path
) -> None:
    base = _llama(tmp_path / "base", tied=True)
    adapter = _adapter(base, tmp_path / "adapter", **how)
    expected = _logits(PeftModel.from_pretrained(_load(base), str(adapter)).eval())

    assert _merge(base, adapter, tmp_path / "out") == 0

    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["tie_word_embeddings"] is not is_untied
    assert ("lm_head.weight" in _tensors(tmp_path / "out")) is is_untied
    torch.testing.assert_close(_logits(_load(tmp_path / "out")), expected, rtol=0, atol=1e-4)


def test_layers_that_keep_their_weights_transposed(tmp_path: Path) -> None:
    """GPT-2's; on the hub its tensors are also named without the module's prefix."""
    torch.manual_seed(1)
    base = tmp_path / "base"
    GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2)).save_pretrained(base)
    weights = load_file(base / "model.safetensors")
    short = {name.removeprefix("transformer."): tensor for name, tensor in weights.items()}
    save_file(short, base / "model.safetensors", metadata={"format": "pt"})
    adapter = _adapter(
        base, tmp_path / "adapter", target_modules=["c_attn", "c_proj"], fan_in_fan_out=True
    )
    expected = _logits(PeftModel.from_pretrained(_load(base), str(adapter)).eval())
    assert _merge(base, adapter, tmp_path / "out") == 0
    torch.testing.assert_close(_logits(_load(tmp_path / "out")), expected, rtol=0, atol=1e-4)


def test_a_half_precision_base_is_summed_in_fp32_and_rounded_once(tmp_path: Path) -> None:
    base = _llama(tmp_path / "base", tied=False, dtype=torch.bfloat16)
    adapter = _adapter(base, tmp_path / "adapter", target_modules=LINEAR)
    assert _merge(base, adapter, tmp_path / "out") == 0
    in_fp32 = PeftModel.from_pretrained(_load(base, torch.float32), str(adapter))
    expected = in_fp32.merge_and_unload().to(torch.bfloat16).state_dict()
    for name, tensor in _tensors(tmp_path / "out").items():
        assert tensor.dtype == torch.bfloat16
        assert tensor.equal(expected[name]), name

    assert _merge(base, adapter, tmp_path / "wide", "--dtype", "float32") == 0
    assert {tensor.dtype for tensor in _tensors(tmp_path / "wide").values()} == {torch.float32}
    assert _load(tmp_path / "wide", "auto").dtype == torch.float32


def test_what_the_tutorials_peft_saves_is_read(tiny: Path, tmp_path: Path) -> None:
    """peft 0.5 pickles the weights, and its configuration has fewer fields."""
    adapter = _adapter(tiny, tmp_path / "adapter", target_modules=ATTENTION)
    assert _merge(tiny, adapter, tmp_path / "new") == 0
    torch.save(load_file(adapter / "adapter_model.safetensors"), adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    config = json.loads((adapter / "adapter_config.json").read_text())
    old = {"peft_type", "r", "lora_alpha", "fan_in_fan_out", "bias", "modules_to_save",
           "init_lora_weights", "target_modules", "base_model_name_or_path"}  # fmt: skip
    (adapter / "adapter_config.json").write_text(
        json.dumps({key: value for key, value in config.items() if key in old})
    )
    assert _merge(tiny, adapter, tmp_path / "old") == 0
    old_way, new_way = _tensors(tmp_path / "old"), _tensors(tmp_path / "new")
    assert all(tensor.equal(new_way[name]) for name, tensor in old_way.items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"peft_type": "IA3"}, "of type IA3"),
        ({"init_lora_weights": "pissa_niter_4"}, "changes the base model too"),
        ({"trainable_token_indices": [1]}, "trainable tokens"),
    ],
)
def test_adapters_that_are_not_merged_are_named(
    change: dict[str, Any], said: str, tiny: Path, tmp_path: Path, capfd: Any
) -> None:
    adapter = _adapter(tiny, tmp_path / "adapter", target_modules=ATTENTION)
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert _merge(tiny, adapter, tmp_path / "out") == 1
    assert said in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("model.layers.0.self_attn.q_proj.lora_magnitude_vector", (64,), "knows none of the kind"),
        ("model.layers.9.self_attn.q_proj.lora_A.weight", (4, 64), "only one half"),
        ("model.norm.bias", (64,), "changes model.norm.bias, which"),
        ("lm_head.weight", (9, 64), r"another base model, or with a resized vocabulary"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    name: str, shape: tuple[int, ...], said: str, tiny: Path, tmp_path: Path, capfd: Any
) -> None:
    adapter = _adapter(tiny, tmp_path / "adapter", target_modules=ATTENTION)
    path = adapter / "adapter_model.safetensors"
    save_file({**load_file(path), f"base_model.model.{name}": torch.zeros(shape)}, path)
    assert _merge(tiny, adapter, tmp_path / "out") == 1
    assert said in capfd.readouterr().err


def test_an_adapter_of_another_model_is_told(tiny: Path, tmp_path: Path, capfd: Any) -> None:
    larger = _llama(tmp_path / "larger", tied=False, hidden_size=128, num_hidden_layers=3)
    adapter = _adapter(larger, tmp_path / "adapter", target_modules=ATTENTION)
    assert _merge(tiny, adapter, tmp_path / "out") == 1
    assert "trained on another base model" in capfd.readouterr().err


# --- the folder that it makes ----------------------------------------------------------------


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _staged(base: Path, folder: Path) -> Path:
    """A copy of *base* as recipes.stage leaves it."""
    folder.mkdir()
    for file in base.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    files = tuple(
        StagedFile(file.name, file.stat().st_size, _digest(file)) for file in folder.iterdir()
    )
    manifest = Manifest("model", "org/tiny", "main", "c0ffee", files)
    (folder / MANIFEST).write_bytes(manifest.to_json())
    return folder


def test_the_output_is_a_model_with_a_record(
    tiny: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    base = _staged(tiny, tmp_path / "base")
    outputs = tmp_path / "outputs"
    adapter = _adapter(base, outputs / "adapter", target_modules=ATTENTION)
    for file in base.glob("*token*"):
        (adapter / file.name).write_bytes(file.read_bytes())
    (adapter / "tokenizer_config.json").write_text(
        json.dumps({**json.loads((base / "tokenizer_config.json").read_text()), "mine": True})
    )
    (outputs / "training.json").write_text(json.dumps({"final_loss": 1.25}))
    monkeypatch.setenv("JOB_OCID", "ocid1.datasciencejob.x")
    monkeypatch.setenv("JOB_RUN_OCID", "ocid1.datasciencejobrun.x")
    out = tmp_path / "out"

    assert main(["--base", str(base), "--adapter", str(outputs), "--output", str(out)]) == 0

    names = {file.name for file in out.iterdir()}
    assert {file.name for file in base.iterdir()} - names == {MANIFEST}
    assert json.loads((out / "tokenizer_config.json").read_text())["mine"] is True
    assert json.loads((out / "model.safetensors.index.json").read_text()) == json.loads(
        (base / "model.safetensors.index.json").read_text()
    ) | {"metadata": {"total_size": sum(one.nbytes for one in _tensors(out).values())}}
    record = json.loads((out / "tunestack.json").read_text())
    assert record["base_model"] == {"repo": "org/tiny", "revision": "main", "commit": "c0ffee"}
    assert record["training"] == {"final_loss": 1.25}
    assert (record["job"], record["job_run"]) == (
        "ocid1.datasciencejob.x",
        "ocid1.datasciencejobrun.x",
    )
    assert record["adapter"]["sha256"] == _digest(adapter / "adapter_model.safetensors")
    assert record["adapter"]["changed_tensors"] == 4
    assert {one["name"]: one["sha256"] for one in record["files"]} == {
        name: _digest(out / name) for name in names - {"tunestack.json"}
    }
    assert f"merge: smoke test says: {record['sample']['summary']}" in capfd.readouterr().out
    assert list(home.iterdir()) == []


def test_a_second_merge_leaves_nothing_of_the_first(tiny: Path, tmp_path: Path) -> None:
    adapter = _adapter(tiny, tmp_path / "adapter", target_modules=ATTENTION)
    out = tmp_path / "out"
    assert _merge(tiny, adapter, out) == 0
    whole = tmp_path / "whole"
    model = _load(tiny)
    model.save_pretrained(whole, max_shard_size="5GB")
    (out / "notes.md").write_text("somebody's own")
    assert _merge(whole, adapter, out) == 0
    assert [file.name for file in out.glob("model*")] == ["model.safetensors"]
    assert (out / "notes.md").exists()


def test_a_staged_base_that_is_not_whole_is_told(tiny: Path, tmp_path: Path, capfd: Any) -> None:
    base = _staged(tiny, tmp_path / "base")
    adapter = _adapter(tiny, tmp_path / "adapter", target_modules=ATTENTION)
    shard = next(base.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert _merge(base, adapter, tmp_path / "out") == 1
    assert f"{shard} has" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no config.json"),
        ({"config.json": "{}", "pytorch_model.bin": ""}, "there are no safetensors"),
        ({"config.json": "{}", "model.safetensors": "x"}, "model.safetensors can't be read"),
        ({"config.json": '{"quantization_config": {"bits": 4}}'}, "is quantized"),
    ],
)
def test_a_base_that_is_no_model_is_told(
    files: dict[str, str], said: str, tmp_path: Path, capfd: Any
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for name, text in files.items():
        (base / name).write_text(text)
    assert _merge(base, tmp_path, tmp_path / "out") == 1
    assert said in capfd.readouterr().err


# --- memory ----------------------------------------------------------------------------------

MEASURED = """
import resource, sys, torch, safetensors.torch
from pathlib import Path
from peft.utils.other import get_pattern_key
from recipes.merge.__main__ import main

def peak():  # bytes
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Not ru_maxrss: on Linux a process begins with its parent's.
    [line] = [line for line in Path("/proc/self/status").open() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

before = peak()
assert main(sys.argv[1:]) == 0
print("grew", peak() - before)
"""


def _many_shards(folder: Path, count: int) -> Path:
    """A model of *count* shards of 16 MiB, as far as a merge looks at it."""
    folder.mkdir()
    places: dict[str, str] = {}
    for number in range(count):
        file = f"model-{number + 1:05}-of-{count:05}.safetensors"
        modules = [f"model.layers.{number}.mlp.{name}_proj" for name in ("gate", "up", "q", "v")]
        tensors = {
            f"{module}.weight": torch.ones(2048, 1024, dtype=torch.bfloat16) for module in modules
        }
        save_file(tensors, folder / file)
        places |= dict.fromkeys(tensors, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (folder / "config.json").write_text("{}")
    return folder


def _everywhere(base: Path, folder: Path) -> Path:
    """An adapter that changes each weight of *base*."""
    folder.mkdir()
    index = json.loads((base / "model.safetensors.index.json").read_text())
    modules = [name.removesuffix(".weight") for name in index["weight_map"]]
    halves = {"A": torch.ones(2, 1024), "B": torch.ones(2048, 2)}
    save_file(
        {
            f"base_model.model.{module}.lora_{half}.weight": weight.clone()
            for module in modules
            for half, weight in halves.items()
        },
        folder / "adapter_model.safetensors",
    )
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 2}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def test_memory_is_that_of_a_shard_not_of_the_model(tmp_path: Path) -> None:
    base = _many_shards(tmp_path / "base", 24)
    adapter = _everywhere(base, tmp_path / "adapter")
    size = sum(file.stat().st_size for file in base.glob("*.safetensors"))
    arguments = ["--base", base, "--adapter", adapter, "--output", tmp_path / "out"]
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments), "--skip-smoke-test"],
        env={"PYTHONPATH": str(JOBS), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    merged = load_file(tmp_path / "out" / "model-00024-of-00024.safetensors")
    assert all(tensor.eq(3).all() for tensor in merged.values())
    grew = int(run.stdout.rpartition("grew ")[2])
    print(grew, size)
    assert 0 < grew < 0.5 * size, f"{grew:,} bytes more for a model of {size:,}"
