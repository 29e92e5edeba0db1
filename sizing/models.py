"""What of a model decides how much it takes: its ``config.json``, known or read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ModelConfigError(Exception):
    """A ``config.json`` that can't be sized; the message says which field, and what is allowed."""


@dataclass(frozen=True)
class Model:
    """A causal decoder of Llama's build. Counts are of numbers, not of bytes.

    *name* is the Hugging Face id, or what was read; *family* is ``model_type``; *source* is where
    these numbers are from. *gated*: whether its files are given only to who has accepted its
    licence; None where that is not known.
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

    @property
    def parameters(self) -> int:
        """All of them, embeddings counted once where they are tied."""
        raise NotImplementedError


def known() -> Mapping[str, Model]:
    """Hugging Face id → model, of ``data/models.yaml``."""
    raise NotImplementedError


def find(name: str) -> Model | None:
    """The known model of that id, in any case; None where the table has it not."""
    raise NotImplementedError


def read_config(text: str, name: str) -> Model:
    """The model that a ``config.json`` describes.

    Raises:
        ModelConfigError: it is no JSON, lacks a field, or is of a build that is not sized here.
    """
    raise NotImplementedError


def read_config_file(path: Path) -> Model:
    """:func:`read_config` of a file, or of the folder that holds it."""
    raise NotImplementedError
