"""Which documents share a row, and which rows a step takes: the same on any number of ranks."""

from __future__ import annotations

import bisect
import random
from collections.abc import Sequence
from dataclasses import dataclass

Row = tuple[int, ...]  # indices of documents


def pack(lengths: Sequence[int], capacity: int) -> list[Row]:
    """Documents into rows of at most ``capacity`` tokens, by best-fit decreasing.

    Each document goes, longest first, into the fullest row that still has room for it; for
    dialogues that leaves under two tokens in a hundred empty. The result depends on nothing but
    the lengths.
    """
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, row), sorted
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        place = bisect.bisect_left(room, (lengths[index], -1))
        if place == len(room):
            rows.append([])
            left, row = capacity, len(rows) - 1
        else:
            left, row = room.pop(place)
        rows[row].append(index)
        bisect.insort(room, (left - lengths[index], row))
    return [tuple(row) for row in rows]


def one_each(lengths: Sequence[int]) -> list[Row]:
    """A row for each document."""
    return [(index,) for index in range(len(lengths))]


@dataclass(frozen=True)
class Order:
    """The rows of every step.

    An epoch is a permutation of all rows, drawn from seed and epoch alone, cut into global
    batches. The last batch of an epoch may be smaller; nothing is left out. What is in a batch
    does not depend on how many ranks share it.
    """

    rows: tuple[Row, ...]
    row_lengths: tuple[int, ...]  # tokens
    global_batch: int  # rows
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.rows) // self.global_batch)

    def batch(self, step: int) -> list[int]:
        """The rows of step ``step`` (from 0), longest first."""
        epoch, place = divmod(step, self.steps_per_epoch)
        chosen = self._permutation(epoch)[place * self.global_batch :][: self.global_batch]
        return sorted(chosen, key=lambda row: (-self.row_lengths[row], row))

    def share(self, step: int, rank: int, world: int, passes: int) -> list[list[Row]]:
        """What ``rank`` of ``world`` takes in each of the step's passes; may be empty.

        Rows of like length go into the same pass, dealt out in turn, so that no rank waits long
        for another.
        """
        batch = self.batch(step)
        per_pass = self.global_batch // passes
        return [
            [
                self.rows[row]
                for row in batch[index * per_pass : (index + 1) * per_pass][rank::world]
            ]
            for index in range(passes)
        ]

    def _permutation(self, epoch: int) -> list[int]:
        indices = list(range(len(self.rows)))
        random.Random(f"{self.seed}/{epoch}").shuffle(indices)
        return indices
