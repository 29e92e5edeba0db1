"""What the tensors of the merged model come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Source(Protocol):
    """The tensors of the merged model, by the base model's names."""

    @property
    def unties(self) -> bool:
        """Whether output layer and embeddings are two tensors now, in the base model one."""

    def load(self, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """The tensors of a shard; types and shapes are the base model's."""

    def about(self) -> Mapping[str, Any]:
        """For ``tunestack.json``: what this is, and its SHA-256."""
