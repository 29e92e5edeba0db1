"""The processes of a run: who they are, what they say to one another, and how none hangs.

A collective operation waits for every rank, so that a rank that died would stop all others for
as long as PyTorch's timeout. Here each rank says every second that it lives, through the
store that the ranks met at; a rank that fails leaves its reason there. Every rank reads both and
ends at once, whatever it is waiting for.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist

from .errors import FAILED

TIMEOUT = timedelta(minutes=30)  # of a collective; a checkpoint's upload may take long
BEAT = 1.0  # seconds
SILENCE = 60.0  # seconds without a sign of life after which a rank counts as dead
_PREFIX = "sft"


@dataclass(frozen=True)
class World:
    """This process among the others."""

    rank: int
    size: int
    local_rank: int
    device: Any
    control: Any  # a gloo group: what the processes say to one another beside the training
    node: str

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def first_on_node(self) -> bool:
        return self.local_rank == 0

    def gather(self, thing: Any) -> list[Any]:
        """What every rank gives, by rank; a barrier too."""
        everything: list[Any] = [None] * self.size
        dist.all_gather_object(everything, thing, group=self.control)
        return everything

    def from_first(self, thing: Any) -> Any:
        """What rank 0 gives."""
        box = [thing]
        dist.broadcast_object_list(box, src=0, group=self.control)
        return box[0]

    def barrier(self) -> None:
        dist.barrier(group=self.control)

    def sum(self, values: Any) -> Any:
        """The sums of a tensor's values over all ranks."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


def join() -> World:
    """Meet the other processes that torchrun started; alone where it started none."""
    cuda = torch.cuda.is_available()
    rank, size, local = (
        int(os.environ.get(name, default))
        for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))
    )
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    if "MASTER_ADDR" in os.environ:
        dist.init_process_group(backend, timeout=TIMEOUT)
    else:
        store = dist.HashStore()
        dist.init_process_group(backend, store=store, rank=0, world_size=1)
    control = dist.new_group(backend="gloo", timeout=TIMEOUT)
    return World(rank, size, local, device, control, socket.gethostname())


def leave(world: World) -> None:
    """End the process group, after everyone has come here."""
    world.barrier()
    dist.destroy_process_group()


class Watch:
    """Tells the others that this rank lives, and ends it when another one does not."""

    def __init__(self, rank: int, size: int) -> None:
        self._rank = rank
        self._size = size
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._store: Any = None
        if size == 1:
            return
        # Its own connection: the process group's is held for as long as that waits for something.
        self._store = dist.PrefixStore(
            _PREFIX,
            dist.TCPStore(
                os.environ["MASTER_ADDR"],
                int(os.environ["MASTER_PORT"]),
                is_master=False,
                wait_for_workers=False,
                timeout=timedelta(seconds=SILENCE),
            ),
        )
        self._thread = threading.Thread(target=self._beat, name="sft-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more watching: the ranks are about to leave."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def tell(self, why: str) -> str | None:
        """Tell the others that this rank fails, and why.

        Returns what another rank has told before: then this one's trouble comes of that.
        """
        self.stop()
        if self._store is None:
            return None
        try:
            earlier: str | None = self._failure()
            if earlier is None:
                self._store.set("failed", f"{self._rank} {why}")
        except dist.DistError:
            return None  # whoever keeps the store has ended before us, and said why
        if self._rank == 0 and earlier is None:
            time.sleep(1.5 * BEAT)  # the store may live in this process: let the others read it
        return earlier

    def _beat(self) -> None:
        seen: dict[int, tuple[bytes, float]] = {}
        count = 0
        while not self._stop.wait(BEAT):
            count += 1
            try:
                self._store.set(f"alive/{self._rank}", str(count))
                lost = self._failure() or (self._silent(seen) if self._rank == 0 else None)
            except dist.DistError as error:
                if self._stop.is_set():
                    return
                lost = f"the store of rank 0 does not answer, so rank 0 has ended ({error})"
            if lost:
                end_now(f"sft: rank {self._rank} ends: {lost}")

    def _failure(self) -> str | None:
        if not self._store.check(["failed"]):
            return None
        rank, _, why = self._store.get("failed").decode().partition(" ")
        return f"rank {rank} failed: {why}"

    def _silent(self, seen: dict[int, tuple[bytes, float]]) -> str | None:
        """Rank 0 looks whether the others' counts go on, by its own clock."""
        now = time.monotonic()
        for rank in range(1, self._size):
            key = f"alive/{rank}"
            count = self._store.get(key) if self._store.check([key]) else b""
            if rank not in seen or seen[rank][0] != count:
                seen[rank] = (count, now)
            elif now - seen[rank][1] > SILENCE:
                why = f"no sign of life for {SILENCE:.0f} s: its node or process is gone"
                self._store.set("failed", f"{rank} {why}")
                return f"rank {rank} failed: {why}"
        return None


def end_now(why: str) -> None:
    """Say why and end this process, threads that wait in a collective operation and all."""
    print(why, file=sys.stderr, flush=True)
    exit_now(FAILED)


def exit_now(code: int) -> NoReturn:
    """End this process without waiting for any thread, nor taking the interpreter from under it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
