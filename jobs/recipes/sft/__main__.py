"""``python -m recipes.sft`` or ``torchrun --module recipes.sft``."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from . import options as command_line
from .errors import FAILED, STOPPED, WRONG_USE, SharedUsageError, Stopped, UsageError

if TYPE_CHECKING:
    from .parallel import Watch, World
    from .requests import Requests
    from .run import Task
    from .stopping import StopSign


def main(arguments: list[str]) -> int:
    """The exit code; the package's docstring lists them."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # FSDP2 allocates many tensors of many sizes: without this, what is free on a GPU ends up in
    # pieces too small to use. PyTorch reads it when a GPU is first used.
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    try:
        task = prepare(arguments)
    except UsageError as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":
            print(f"sft: {error}", file=sys.stderr, flush=True)
        return WRONG_USE
    return _together(task)


def prepare(arguments: list[str]) -> Task:
    """Read and check all that can be, before anyone waits for anyone.

    Raises:
        UsageError: an option or a file is not as it must be.
    """
    options = command_line.parse(arguments)

    from ..buckets import BucketError
    from ..credentials import CredentialsError
    from . import data, model, stores
    from .run import Task

    model.check(options)
    tokenizer = model.load_tokenizer(options.model)
    validation = options.data / "validation.jsonl"
    store = None
    if options.checkpoints is not None:
        try:
            store = stores.store_at(options.checkpoints)
            next(iter(store.list("step-")), None)
        except (BucketError, CredentialsError, OSError) as error:
            raise UsageError(f"--checkpoints {options.checkpoints}: {error}") from None
    return Task(
        options=options,
        tokenizer=tokenizer,
        train=data.load(options.data / "train.jsonl", tokenizer, options.max_length),
        validation=data.load(validation, tokenizer, options.max_length)
        if validation.is_file()
        else None,
        store=store,
    )


def _together(task: Task) -> int:
    import torch.distributed as dist

    from . import parallel, requests
    from .stopping import StopSign

    try:
        world = parallel.join()
    except dist.DistError as error:
        print(f"sft: the ranks did not meet: {error}", file=sys.stderr, flush=True)
        return FAILED
    stop = StopSign(world)
    listening = None
    if world.first and task.store is not None and (own := requests.run_ocid()):
        listening = requests.Requests(task.store, own, stop.ask)
    code = _to_the_end(task, world, stop, listening)
    stop.close()
    if listening is not None and not listening.close():
        parallel.exit_now(code)
    return code


def _to_the_end(task: Task, world: World, stop: StopSign, listening: Requests | None) -> int:
    import torch.distributed as dist

    from . import parallel
    from .run import run

    watch = parallel.Watch(world.rank, world.size)
    try:
        run(task, world, stop)
        watch.stop()
        parallel.leave(world)
    except Stopped as stopped:
        watch.stop()
        parallel.leave(world)
        if listening is not None and stop.by:
            listening.answer()
        return _stopped(stopped, world.first, stop.by)
    except SharedUsageError as error:
        watch.stop()
        parallel.leave(world)
        if world.first:
            print(f"sft: {error}", file=sys.stderr, flush=True)
        return WRONG_USE
    except BaseException as error:  # noqa: BLE001 (the other ranks must hear of any)
        last_line = _last_line(error, world, watch)
        if world.size > 1:
            parallel.end_now(last_line)  # nothing that waits for the others
        dist.destroy_process_group()
        print(last_line, file=sys.stderr, flush=True)
        return FAILED
    return 0


def _last_line(error: BaseException, world: World, watch: Watch) -> str:
    """What this rank says at its end; it prints where the error came from before."""
    why = f"{type(error).__name__}: {error}"
    earlier = watch.tell(why)
    if earlier:
        return f"sft: rank {world.rank} ends: {earlier}"
    if not isinstance(error, UsageError):
        traceback.print_exception(error)
    return f"sft: rank {world.rank} of {world.size} on {world.node} failed: {why}"


def _stopped(stopped: Stopped, speaks: bool, by: str) -> int:
    """Whoever started the run reads here that it was stopped, and by whom."""
    if speaks:
        told = f"told to stop ({by})" if by else "told to stop"
        then = (
            f"saved {stopped.saved}: the same command goes on from there"
            if stopped.saved
            else "no --checkpoints was given, so the next run begins anew"
        )
        print(f"sft: {told}; did {stopped.step} steps; {then}", file=sys.stderr, flush=True)
    return STOPPED if stopped.saved else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
