"""What of a model decides how much it takes: its ``config.json``, known or read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "models.yaml"

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""Decoders of one build: embeddings, like layers, a norm, an output layer and nothing after it."""

_QWEN3_HEAD_DIM = 128  # transformers' own, where the config leaves it out
_MOST = 10**9  # of any field, far beyond all models
_WHOLE = f"a whole number from 1 to {_MOST:,}"


class ModelConfigError(Exception):
    """A ``config.json`` that can't be sized; the message says which field, and what is allowed."""


@dataclass(frozen=True)
class Model:
    """A causal decoder of Llama's build. Counts are of numbers, not of bytes.

    *name* is the Hugging Face id, or what was read; *family* is ``model_type``; *source* is where
    these numbers are from. *gated*: whether its files are given only to who has accepted its
    licence; None where that is not known. *sliding_window* is how many tokens attention looks back
    where that is less than all.
    """

    name: str
    family: str
    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int
    max_positions: int
    tied_embeddings: bool = False
    attention_bias: bool = False
    gated: bool | None = None
    source: str = ""
    sliding_window: int | None = None

    @property
    def query_size(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_dim

    @property
    def kv_size(self) -> int:
        """Width of all keys, or all values, of a token."""
        return self.kv_heads * self.head_dim

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The matrices of one layer: name → (numbers in, numbers out)."""
        hidden, inner = self.hidden_size, self.intermediate_size
        return {
            "q_proj": (hidden, self.query_size),
            "k_proj": (hidden, self.kv_size),
            "v_proj": (hidden, self.kv_size),
            "o_proj": (self.query_size, hidden),
            "gate_proj": (hidden, inner),
            "up_proj": (hidden, inner),
            "down_proj": (inner, hidden),
        }

    @property
    def layer_parameters(self) -> int:
        """Of one layer."""
        matrices = sum(inputs * outputs for inputs, outputs in self.linears.values())
        norms = 2 * self.hidden_size + (2 * self.head_dim if self.family == "qwen3" else 0)
        biases = 0
        if self.attention_bias:
            biases = self.query_size + 2 * self.kv_size
            if self.family != "qwen2":  # whose o_proj has none
                biases += self.hidden_size
        return matrices + norms + biases

    @property
    def embedding_parameters(self) -> int:
        """Of the embeddings; the output layer has as many of its own unless they are tied."""
        return self.vocab_size * self.hidden_size

    @property
    def outer_parameters(self) -> int:
        """All that is in no layer: embeddings, output layer, the last norm."""
        matrices = 1 if self.tied_embeddings else 2
        return matrices * self.embedding_parameters + self.hidden_size

    @property
    def parameters(self) -> int:
        """All of them, embeddings counted once where they are tied."""
        return self.layers * self.layer_parameters + self.outer_parameters

    def lora_parameters(self, rank: int, targets: tuple[str, ...]) -> int:
        """What LoRA adds to all layers: A is rank x inputs, B outputs x rank."""
        sizes = (sum(self.linears[name]) for name in targets)
        return self.layers * rank * sum(sizes)


def known() -> Mapping[str, Model]:
    """Hugging Face id → model, of ``data/models.yaml``."""
    return _known()


@cache
def _known() -> Mapping[str, Model]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows: list[dict[str, Any]] = yaml.load(DATA.read_text(encoding="utf-8"), Loader=loader)[
        "models"
    ]
    models = {}
    for row in rows:
        for name in row["ids"]:
            one = _of(row["config"], name)
            source = f"https://huggingface.co/{name}/blob/main/config.json"
            models[name] = replace(one, gated=row.get("gated"), source=source)
    return MappingProxyType(models)


def find(name: str) -> Model | None:
    """The known model of that id, in any case; None where the table has it not."""
    return _by_lower_name().get(name.strip().lower())


@cache
def _by_lower_name() -> Mapping[str, Model]:
    return {name.lower(): model for name, model in _known().items()}


def read_config(text: str, name: str) -> Model:
    """The model that a ``config.json`` describes.

    Raises:
        ModelConfigError: it is no JSON, lacks a field, or is of a build that is not sized here.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelConfigError(f"{name}: config.json is no JSON: {error}") from None
    if not isinstance(config, dict):
        raise ModelConfigError(f"{name}: config.json is no object of fields")
    known_model = find(name)
    gated = known_model.gated if known_model else None
    return replace(_of(config, name), gated=gated, source="config.json")


def read_config_file(path: Path) -> Model:
    """:func:`read_config` of a file, or of the folder that holds it.

    Raises:
        ModelConfigError: it can't be read, or as :func:`read_config` says.
    """
    file = path / "config.json" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ModelConfigError(f"{file} can't be read: {reason}") from None
    return replace(read_config(text, str(path)), source=str(file))


def _of(config: Mapping[str, Any], name: str) -> Model:
    family = config.get("model_type")
    if family not in FAMILIES:
        said = "there is none" if family is None else f"it is '{family}'"
        raise ModelConfigError(f"{name}: model_type: {said}; sized here are {', '.join(FAMILIES)}")
    _check_build(config, name)
    hidden = _count(config, "hidden_size", name)
    heads = _count(config, "num_attention_heads", name)
    # The first Llamas' configs have no field for these two: as many as heads, and their width.
    kv_heads = _count(config, "num_key_value_heads", name, heads)
    default = _QWEN3_HEAD_DIM if family == "qwen3" else hidden // heads
    head_dim = _count(config, "head_dim", name, default)
    if hidden % heads and config.get("head_dim") is None and family != "qwen3":
        raise ModelConfigError(
            f"{name}: hidden_size is {hidden}: without a head_dim, num_attention_heads, {heads}, "
            "must divide it"
        )
    if heads % kv_heads:
        raise ModelConfigError(
            f"{name}: num_key_value_heads is {kv_heads}; "
            f"it must divide num_attention_heads, {heads}"
        )
    return Model(
        name=name,
        family=family,
        hidden_size=hidden,
        layers=_count(config, "num_hidden_layers", name),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=_count(config, "intermediate_size", name),
        vocab_size=_count(config, "vocab_size", name),
        max_positions=_count(config, "max_position_embeddings", name),
        tied_embeddings=_flag(config, "tie_word_embeddings", name),
        attention_bias=family == "qwen2" or _flag(config, "attention_bias", name),
        sliding_window=_window(config, name),
    )


def _check_build(config: Mapping[str, Any], name: str) -> None:
    """Fields that would add what is not counted here."""
    if _flag(config, "mlp_bias", name):
        raise ModelConfigError(f"{name}: mlp_bias is true; sized here are models without")
    if config.get("quantization_config"):
        raise ModelConfigError(
            f"{name}: quantization_config: its weights are quantized; sized here are weights of 16 "
            "or 32 bits, so give the model that it was made of"
        )


def _window(config: Mapping[str, Any], name: str) -> int | None:
    # Qwen writes a window down and says in another field whether it is used.
    if config.get("sliding_window") is None or config.get("use_sliding_window") is False:
        return None
    return _count(config, "sliding_window", name)


def _count(config: Mapping[str, Any], field: str, name: str, default: int | None = None) -> int:
    value = config.get(field)
    if value is None:
        if default is None:
            raise ModelConfigError(f"{name}: config.json lacks {field}, {_WHOLE}")
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ModelConfigError(f"{name}: {field} is {value!r}; it must be {_WHOLE}")
    return value


def _flag(config: Mapping[str, Any], field: str, name: str) -> bool:
    value = config.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ModelConfigError(f"{name}: {field} is {value!r}; it must be true or false")
    return value
