"""Checkpoints: each rank writes and uploads its own part, and reads back what it needs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from ..buckets import BucketError
from . import markers
from .markers import File, Fingerprint, Marker
from .metrics import Journal
from .parallel import World
from .stores import Store, sha256_of

JOURNAL = "metrics.jsonl"
_METADATA = ".metadata"  # what torch.distributed.checkpoint calls its index
_TRAINED = StateDictOptions(ignore_frozen_params=True, strict=False)


class DamagedError(Exception):
    """A file of a checkpoint is not what its marker says."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run, in a store. All methods are collective operations."""

    store: Store
    scratch: Path  # this node's disk
    world: World
    fingerprint: Fingerprint
    journal: Journal
    keep: int

    def save(self, module: Any, optimizer: Any, step: int, progress: dict[str, float]) -> str:
        """Save weights and optimizer after ``step`` steps; returns where.

        Raises:
            CheckpointException, BucketError, OSError: it could not be written.
        """
        folder = self.scratch / "checkpoints" / markers.folder_of(step)
        folder.mkdir(parents=True, exist_ok=True)
        name = markers.folder_of(step)
        if self.world.first:
            self.store.delete(f"{name}/{markers.MARKER}")  # written over: no longer whole
        weights, state = get_state_dict(module, optimizer, options=_TRAINED)
        dcp.save(
            {"model": weights, "optimizer": state},
            # Not synced: the disk is a stop on the way to the store, and a slow one.
            storage_writer=dcp.FileSystemWriter(folder, sync_files=False),
            process_group=self.world.control,
        )
        mine = sorted(folder.glob(f"__{self.world.rank}_*"))
        if self.world.first:
            mine += [folder / _METADATA, self.journal.path]
        uploaded = [
            File(path.name, path.stat().st_size, self.store.upload(path, f"{name}/{path.name}"))
            for path in mine
        ]
        for path in mine:
            if path.parent == folder:
                path.unlink()
        everything = tuple(file for files in self.world.gather(uploaded) for file in files)
        if self.world.first:
            marker = Marker(step, self.world.size, self.fingerprint, progress, everything)
            markers.write(self.store, marker)
            markers.prune(self.store, self.keep)
        return self.store.uri(name)

    def forget(self) -> None:
        """Delete the checkpoints that are there: a run starts anew."""
        if self.world.first:
            names = [one.name for one in self.store.list("step-")]
            for name in sorted(names, key=lambda name: not name.endswith("/" + markers.MARKER)):
                self.store.delete(name)
        self.world.barrier()

    def resume(self, module: Any, optimizer: Any) -> Marker | None:
        """Load the newest whole checkpoint, written by any number of ranks; None: there is none.

        Raises:
            SharedUsageError: it belongs to another run.
        """
        found = markers.steps(self.store) if self.world.first else []
        for step in self.world.from_first(found):
            where = self.store.uri(markers.folder_of(step))
            own = markers.read(self.store, step) if self.world.first else None
            marker: Marker | None = self.world.from_first(own)
            why = "its marker cannot be read"
            if marker is not None:
                markers.refuse_other(marker, self.fingerprint, where)
                why = self._load(marker, module, optimizer)
            if marker is not None and not why:
                return marker
            self.journal.event("damaged checkpoint", step=step, uri=where, reason=why)
        return None

    def journal_of(self, marker: Marker) -> str:
        """The metrics up to that checkpoint; rank 0 asks."""
        content = self.store.read(f"{marker.folder}/{JOURNAL}")
        return (content or b"").decode()

    def _load(self, marker: Marker, module: Any, optimizer: Any) -> str:
        """Load it; why that did not work, on whichever rank, or nothing."""
        weights, state = get_state_dict(module, optimizer, options=_TRAINED)
        loaded = {"model": weights, "optimizer": state}
        reader = _Reader(self.store, marker, self.scratch / "resume")
        try:
            dcp.load(loaded, storage_reader=reader, process_group=self.world.control)
        except CheckpointException as error:
            return "; ".join(f"rank {rank}: {why[0]}" for rank, why in error.failures.items())
        set_state_dict(
            module,
            optimizer,
            model_state_dict=loaded["model"],
            optim_state_dict=loaded["optimizer"],
            options=_TRAINED,
        )
        return ""


class _Reader(dcp.FileSystemReader):  # type: ignore[misc]
    """Fetches the files that this rank reads, and no other; each once for its node."""

    def __init__(self, store: Store, marker: Marker, scratch: Path) -> None:
        folder = scratch / marker.folder
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)
        self._store = store
        self._marker = marker
        self._folder = folder

    def read_metadata(self, *args: Any, **given: Any) -> Any:
        self._fetch(_METADATA)
        return super().read_metadata(*args, **given)

    def read_data(self, plan: Any, planner: Any) -> Any:
        for name in sorted(
            {self.storage_data[one.storage_index].relative_path for one in plan.items}
        ):
            self._fetch(name)
        return super().read_data(plan, planner)

    def _fetch(self, name: str) -> None:
        path = self._folder / name
        try:
            listed = self._marker.file(name)
            with _alone(self._folder / f"{name}.lock"):
                if not path.is_file():
                    self._store.download(f"{self._marker.folder}/{name}", path)
        except (KeyError, OSError, BucketError) as error:
            raise DamagedError(f"{name}: {error}") from None
        if path.stat().st_size != listed.size or sha256_of(path) != listed.sha256:
            raise DamagedError(f"{name} is not what was saved (its SHA-256 differs)")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process of the node at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
