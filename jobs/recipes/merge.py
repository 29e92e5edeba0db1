"""Make one servable model from a base model and what the fine-tuning saved.

    python merge.py --base-model meta-llama/Llama-2-13b-hf --adapter /mnt/outputs --output O
    python merge.py --base-model meta-llama/Llama-2-7b-hf --fsdp-checkpoint /mnt/outputs --output O

With ``--adapter`` it folds LoRA weights into the base model; with ``--fsdp-checkpoint`` it turns
the sharded checkpoint of a full-parameter FSDP run into a Hugging Face model. Either way it then
summarizes one dialogue, as a proof that the model still speaks, and saves safetensors with the
tokenizer.

Runs inside a job; imports PyTorch, transformers and peft only once the arguments are in order.
The script must work on Python 3.9, the one in ``pytorch20_p39_gpu_v2``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ADAPTER_CONFIG = "adapter_config.json"
CHECKPOINT_METADATA = ".metadata"  # what torch.distributed.checkpoint writes beside its shards
SHARD_SIZE = "5GB"
DIALOGUE = """Amanda: I baked cookies. Do you want some?
Jerry: Sure!
Amanda: I'll bring you some tomorrow."""
PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"


class MergeError(Exception):
    """The inputs are not what they must be; the message says which, and what to look for."""


def main(argv: list[str] | None = None) -> int:
    """Merge; 0 when the model is saved, 2 when the inputs are wrong."""
    options = parse(argv)
    try:
        model, tokenizer = build(options)
        if not options.skip_smoke_test:
            print(f"merge: smoke test says: {summarize(model, tokenizer, DIALOGUE)}", flush=True)
        save(model, tokenizer, options.output)
    except MergeError as error:
        print(f"merge: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line; argparse ends the process with status 2 on a mistake."""
    parser = argparse.ArgumentParser(prog="merge.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-model", required=True, help="Hugging Face id or folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--adapter", type=Path, help="folder with adapter_config.json, or above it")
    source.add_argument("--fsdp-checkpoint", type=Path, help="folder with .metadata, or above it")
    parser.add_argument("--output", type=Path, required=True, help="folder for the merged model")
    parser.add_argument("--dtype", choices=("bfloat16", "float16", "float32"), default="bfloat16")
    parser.add_argument("--device", default="cpu", help="where to merge; 'auto' spreads over GPUs")
    parser.add_argument("--skip-smoke-test", action="store_true")
    return parser.parse_args(argv)


def build(options: argparse.Namespace) -> tuple[Any, Any]:
    """The merged model and the base model's tokenizer."""
    if options.adapter is not None:
        folder = find_one(options.adapter, ADAPTER_CONFIG)
        model = merge_adapter(options.base_model, folder, options.dtype, options.device)
    else:
        folder = find_one(options.fsdp_checkpoint, CHECKPOINT_METADATA)
        model = load_fsdp_checkpoint(options.base_model, folder, options.dtype)

    from transformers import AutoTokenizer

    return model.eval(), AutoTokenizer.from_pretrained(options.base_model)


def find_one(root: Path, marker: str) -> Path:
    """The one folder at or under ``root`` that holds the file ``marker``.

    llama-recipes writes FSDP checkpoints to ``<folder>-<model name>``, and a model name has a
    slash in it, so they lie two levels down.

    Raises:
        MergeError: none, or more than one.
    """
    if (root / marker).is_file():
        return root
    found = sorted(path.parent for path in root.rglob(marker)) if root.is_dir() else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise MergeError(f"no {marker} at or under {root}: did the fine-tuning save its output?")
    listed = ", ".join(str(path) for path in found)
    raise MergeError(f"{len(found)} folders under {root} hold {marker}; name one of: {listed}")


def merge_adapter(base_model: str, adapter: Path, dtype: str, device: str) -> Any:
    """The base model with the adapter's weights folded in."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(
        base_model, torch_dtype=getattr(torch, dtype), device_map=device, low_cpu_mem_usage=True
    )
    return PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()


def load_fsdp_checkpoint(base_model: str, checkpoint: Path, dtype: str) -> Any:
    """The model whose shards lie in ``checkpoint``; ``base_model`` gives its architecture only."""
    import torch
    import torch.distributed.checkpoint as dcp
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(base_model)
    model = AutoModelForCausalLM.from_config(config, torch_dtype=getattr(torch, dtype))
    state = {"model": model.state_dict()}
    reader = dcp.FileSystemReader(str(checkpoint))
    if hasattr(dcp, "load"):  # PyTorch 2.2 and later
        dcp.load(state, storage_reader=reader)
    else:
        dcp.load_state_dict(state, storage_reader=reader, no_dist=True)
    model.load_state_dict(state["model"])
    return model


def summarize(model: Any, tokenizer: Any, dialogue: str) -> str:
    """The model's summary of a dialogue, in the words that the training used to ask for it."""
    import torch

    inputs = tokenizer(PROMPT.format(dialog=dialogue), return_tensors="pt").to(model.device)
    with torch.no_grad():
        tokens = model.generate(**inputs, max_new_tokens=60, do_sample=False)
    answer = tokens[0][inputs["input_ids"].shape[1] :]
    return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()


def save(model: Any, tokenizer: Any, output: Path) -> None:
    """Write model and tokenizer to ``output``.

    They are written to local disk first: a mounted bucket takes whole files only, not the seeks
    and renames of a writer. The job's block storage is at home; /tmp, on the boot volume, may be
    too small for a model.
    """
    with tempfile.TemporaryDirectory(prefix="merged-", dir=Path.home()) as scratch:
        model.save_pretrained(scratch, safe_serialization=True, max_shard_size=SHARD_SIZE)
        tokenizer.save_pretrained(scratch)
        output.mkdir(parents=True, exist_ok=True)
        for file in sorted(path for path in Path(scratch).iterdir() if path.is_file()):
            shutil.copyfile(file, output / file.name)
            print(f"merge: saved {output / file.name} ({file.stat().st_size:,} bytes)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
