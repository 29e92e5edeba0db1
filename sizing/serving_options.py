"""What of vLLM's command line changes the memory that it takes.

Names and defaults are those of vLLM 0.11 (its engine arguments), which Oracle's container runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BF16 = 2
FP8 = 1

_NOT_MODELLED = (
    "--block-size",
    "--cpu-offload-gb",
    "--enable-lora",
    "--hf-overrides",
    "--kv-cache-memory-bytes",
    "--num-gpu-blocks-override",
    "--pipeline-parallel-size",
    "--speculative-config",
)
"""They change memory too, but not in a way that is computed here."""

_SHORT = {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-q": "--quantization",
}
_SUFFIXES = {"k": 10**3, "m": 10**6, "g": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True)
class ServingOptions:
    """What was asked for; None where vLLM chooses. *kv_bytes* and *weight_bytes* are of one number
    of the KV cache and of the linear layers' weights; *half* is fp16 in place of what the model is
    stored in. *unclear* are words whose effect on memory is
    not computed: what is said of such a server is only a guess."""

    max_model_len: int | None = None
    tensor_parallel: int | None = None
    gpu_memory_utilization: float = 0.9
    kv_bytes: int = BF16
    weight_bytes: int = BF16
    half: bool = False
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    unclear: tuple[str, ...] = ()


def serving_of_arguments(words: Sequence[str]) -> ServingOptions:
    """The options in vLLM's arguments, both ``--name value`` and ``--name=value``; of one that is
    given twice the last counts, as for vLLM. What can't be read is among *unclear*."""
    given = _given(words)
    unclear = [name for name in _NOT_MODELLED if name in given]

    def number(name: str) -> int | None:
        value = given.get(name)
        found = None if value is None else _whole(value)
        if value is not None and found is None:
            unclear.append(f"{name} {value}")
        return found

    utilization = _fraction(given.get("--gpu-memory-utilization", "0.9"))
    if utilization is None:
        unclear.append(f"--gpu-memory-utilization {given['--gpu-memory-utilization']}")
    kv_type = given.get("--kv-cache-dtype", "auto")
    kv_bytes = FP8 if kv_type.startswith("fp8") else BF16
    if kv_bytes == BF16 and kv_type not in ("auto", "bfloat16", "float16"):
        unclear.append(f"--kv-cache-dtype {kv_type}")
    quantization = given.get("--quantization", "")
    if quantization not in ("", "None", "none", "fp8"):
        unclear.append(f"--quantization {quantization}")
    if given.get("--dtype", "auto") in ("float", "float32"):
        unclear.append(f"--dtype {given['--dtype']}")
    return ServingOptions(
        max_model_len=number("--max-model-len"),
        tensor_parallel=number("--tensor-parallel-size"),
        gpu_memory_utilization=0.9 if utilization is None else utilization,
        kv_bytes=kv_bytes,
        weight_bytes=FP8 if quantization == "fp8" else BF16,
        half=given.get("--dtype", "auto") in ("half", "float16"),
        max_num_seqs=number("--max-num-seqs"),
        max_num_batched_tokens=number("--max-num-batched-tokens"),
        unclear=tuple(unclear),
    )


def _given(words: Sequence[str]) -> dict[str, str]:
    """Option → its value, '' for one that has none."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("-") and not word.lstrip("-")[:1].isdigit():
            name, _, value = word.partition("=")
            # vLLM takes an underscore for a dash.
            name = name.replace("_", "-")
            name = _SHORT.get(name, name)
            found[name] = value
        elif name and not found[name]:
            found[name] = word
    return found


def _whole(text: str) -> int | None:
    """vLLM takes ``32k`` and ``32K`` for 32,000 and 32,768."""
    factor = _SUFFIXES.get(text[-1:], 1)
    digits = text[:-1] if factor > 1 else text
    try:
        found = int(float(digits) * factor) if factor > 1 else int(digits)
    except (ValueError, OverflowError):
        return None
    return found if found > 0 else None


def _fraction(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= 1 else None
