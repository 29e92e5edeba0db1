"""Documents of a pass laid end to end, with the borders that attention must not cross."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from .data import Document
from .packing import Order, Row


@dataclass(frozen=True)
class Batch:
    """What one forward pass reads. There is no padding between documents and no mask.

    ``borders`` are the places where documents begin, then the end (int32), as the flash-attention
    kernels want them; ``predicts`` the places whose next token is learned, ``targets`` those
    tokens.
    """

    tokens: Any  # [1, T]
    positions: Any  # [1, T], from 0 in each document
    borders: Any
    border_list: tuple[int, ...]  # the same on the host: a CPU kernel walks them
    longest: int  # tokens of the longest document
    predicts: Any  # [N]
    targets: Any  # [N]
    real_tokens: int  # without the fill at the end

    def to(self, device: Any) -> Batch:
        """The tensors on ``device``; a copy to a GPU does not wait for it."""
        if device.type == "cpu":
            return self
        tensors = (self.tokens, self.positions, self.borders, self.predicts, self.targets)
        tokens, positions, borders, predicts, targets = (
            tensor.pin_memory().to(device, non_blocking=True) for tensor in tensors
        )
        return Batch(
            tokens, positions, borders, self.border_list, self.longest, predicts, targets,
            self.real_tokens,
        )  # fmt: skip


def lay_out(documents: Sequence[Document], fill_to: int = 0, fill_token: int = 0) -> Batch:
    """Lay the documents end to end; with ``fill_to``, add one that nothing is learned from.

    Filled batches all have one shape, which a GPU's allocator and a compiler like. Where there is
    no document (the last batch of an epoch), the fill is all: every rank takes part in each pass.
    """
    tokens: list[int] = []
    positions: list[int] = []
    borders = [0]
    predicts: list[int] = []
    targets: list[int] = []
    for document in documents:
        start = len(tokens)
        predicts.extend(range(start + document.prompt_length - 1, start + len(document) - 1))
        targets.extend(document.tokens[document.prompt_length :])
        tokens.extend(document.tokens)
        positions.extend(range(len(document)))
        borders.append(len(tokens))
    real = len(tokens)
    fill = max(fill_to - real, 0 if documents else 1)
    if fill:
        tokens.extend([fill_token] * fill)
        positions.extend(range(fill))
        borders.append(len(tokens))
    return Batch(
        tokens=torch.tensor([tokens]),
        positions=torch.tensor([positions]),
        borders=torch.tensor(borders, dtype=torch.int32),
        border_list=tuple(borders),
        longest=max(end - start for start, end in pairwise(borders)),
        predicts=torch.tensor(predicts, dtype=torch.int64),
        targets=torch.tensor(targets, dtype=torch.int64),
        real_tokens=real,
    )


@dataclass(frozen=True)
class Feed:
    """The batches of one rank."""

    documents: tuple[Document, ...]
    order: Order
    rank: int
    world: int
    passes: int
    fill_to: int  # tokens of a pass; 0: as long as its documents
    device: Any

    def step(self, step: int) -> Iterator[Batch]:
        """The batches of a step's passes, one at a time."""
        for rows in self.order.share(step, self.rank, self.world, self.passes):
            yield self._batch(rows)

    def totals(self, step: int) -> tuple[int, int]:
        """(tokens to predict, tokens read) of the step on all ranks: known without asking them."""
        chosen = [
            self.documents[at] for row in self.order.batch(step) for at in self.order.rows[row]
        ]
        return sum(one.targets for one in chosen), sum(len(one) for one in chosen)

    def _batch(self, rows: Iterable[Row]) -> Batch:
        documents = [self.documents[index] for row in rows for index in row]
        return lay_out(documents, self.fill_to).to(self.device)
