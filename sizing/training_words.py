"""What the words of a command, or of ``extra_args``, say of a training: one reading for all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .training import LINEAR_LAYERS, Recipe, Training

# What a command trains by that says nothing of it. Source: the options of ``recipes.sft``, and
# llama-recipes at the commit that the definitions pin (configs/training.py, fsdp.py and peft.py):
# rows of 2,048 tokens, packed; activations computed twice; LoRA on two projections of attention.
_DEFAULTS = {
    "sft": Training(recipe="sft"),
    "llama-recipes": Training(recipe="llama-recipes", lora_targets=("q_proj", "v_proj")),
}
_LLAMA_RECIPES = re.compile(r"finetuning\.py|llama_recipes|--enable_fsdp")
_NUMBER = re.compile(r"-?\d")
_OFF = ("false", "0", "no", "none")


def training_of_words(words: Sequence[str], recipe: Recipe | None = None) -> Training:
    """What a training's command says; of an option that is given twice the last counts.

    Raises:
        ValueError: a number is none; the message names the option.
    """
    chosen = recipe or ("llama-recipes" if _LLAMA_RECIPES.search(" ".join(words)) else "sft")
    return _READERS[chosen](_given(words), _DEFAULTS[chosen])


def _of_sft(given: Mapping[str, str], default: Training) -> Training:
    targets = tuple(name for name in given.get("lora-targets", "").split(",") if name)
    steps = _whole(given, "max-steps", 0) or None
    return replace(
        default,
        method="full" if given.get("method") == "full" else "lora",
        batch_size=_whole(given, "batch-size", default.batch_size),
        max_length=_whole(given, "max-length", default.max_length),
        accumulation=_whole(given, "gradient-accumulation", default.accumulation),
        checkpointing=_switch(given, "gradient-checkpointing", default.checkpointing),
        packing=_switch(given, "packing", default.packing),
        # Its third word, auto, is bf16 wherever there is a GPU.
        precision="fp32" if given.get("precision") == "fp32" else "bf16",
        epochs=None if steps else _whole(given, "epochs", 3),
        max_steps=steps,
        lora_rank=_whole(given, "lora-rank", default.lora_rank),
        lora_targets=tuple(name for name in targets if name in LINEAR_LAYERS) or LINEAR_LAYERS,
    )


def _of_llama_recipes(given: Mapping[str, str], default: Training) -> Training:
    lora = _switch(given, "use-peft", False)
    pure = _switch(given, "pure-bf16", False)
    return replace(
        default,
        method="lora" if lora else "full",
        batch_size=_whole(given, "batch-size-training", default.batch_size),
        accumulation=_whole(given, "gradient-accumulation-steps", default.accumulation),
        # Without --pure_bf16 it keeps the weights in fp32.
        precision="bf16" if pure else "fp32",
        epochs=_whole(given, "num-epochs", 3),
        checkpointing=_switch(given, "fsdp-activation-checkpointing", default.checkpointing),
        lora_rank=_whole(given, "r", default.lora_rank),
    )


_READERS = {"sft": _of_sft, "llama-recipes": _of_llama_recipes}


def _given(words: Sequence[str]) -> dict[str, str]:
    """Option → its value, '' for one without. An underscore in a name is a dash, as for Fire."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("-") and not _NUMBER.match(word):
            name, equals, value = word.lstrip("-").partition("=")
            # A dotted one is of a configuration of its own: --fsdp_config.pure_bf16.
            name = name.rpartition(".")[2].replace("_", "-")
            if name.startswith("no-") and not equals:
                name, value = name.removeprefix("no-"), "false"
            found[name] = value
        elif name and not found[name]:
            found[name] = word
    return found


def _switch(given: Mapping[str, str], name: str, default: bool) -> bool:
    return given[name].lower() not in _OFF if name in given else default


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    try:
        found = int(text)
    except ValueError:
        raise ValueError(f"--{name} is {text!r}: not a whole number") from None
    if found < 1:
        raise ValueError(f"--{name} is {found}: it must be 1 or more")
    return found
