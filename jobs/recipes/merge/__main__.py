"""``python -m recipes.merge``: see the package."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from ..stage.manifest import ManifestError
from . import __doc__ as about
from .errors import MergeError
from .folders import ADAPTER_CONFIG, CHECKPOINT_METADATA, beside, find_one
from .record import NAME, TRAINING, earlier_files, record
from .source import Source

DTYPES = ("auto", "bfloat16", "float16", "float32")


def main(argv: list[str] | None = None) -> int:
    """Merge; 0 when the model is there, 1 when it can't be, 2 for a mistake in the arguments."""
    options = parse(argv)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _merge(options)
    except (MergeError, ManifestError) as error:
        print(f"merge: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"merge: stopped; {options.output} is not whole, run again", file=sys.stderr)
        return 130
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line; argparse ends the process with status 2 on a mistake."""
    parser = argparse.ArgumentParser("recipes.merge", description=(about or "").splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="the base model's folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--adapter", type=Path, help="folder with adapter_config.json, or above it")
    source.add_argument("--fsdp-checkpoint", type=Path, help="folder with .metadata, or above it")
    parser.add_argument("--output", type=Path, required=True, help="folder for the merged model")
    parser.add_argument("--dtype", choices=DTYPES, default="auto", help="auto: the base model's")
    parser.add_argument("--skip-smoke-test", action="store_true")
    return parser.parse_args(argv)


def _merge(options: argparse.Namespace) -> None:
    # After the arguments are in order: they import PyTorch, which takes seconds.
    from .base import BaseModel
    from .writing import Writer

    base = BaseModel.at(options.base)
    if base.manifest is None:
        print(f"merge: {options.base} was not staged: its files are not checked", flush=True)
    root = options.adapter or options.fsdp_checkpoint
    trained = find_one(root, ADAPTER_CONFIG if options.adapter else CHECKPOINT_METADATA)
    training = beside(trained, root, TRAINING)
    source = _source(options, trained, base)
    options.output.mkdir(parents=True, exist_ok=True)
    before = earlier_files(options.output)
    (options.output / NAME).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="merged-", dir=Path.home()) as scratch:
        writer = Writer(options.output, Path(scratch))
        files = [
            *writer.weights(base, source, options.dtype),
            *writer.companions(base, source, trained, options.dtype),
        ]
        for name in before - {file.name for file in files}:
            (options.output / name).unlink(missing_ok=True)
        sample = None if options.skip_smoke_test else _sample(options.output)
        writer.text(NAME, record(base, source, training, files, sample))
    print(f"merge: done, {len(files)} files and {NAME} in {options.output}", flush=True)


def _source(options: argparse.Namespace, trained: Path, base: Any) -> Source:
    if options.adapter:
        from .adapter import Adapter

        return Adapter(trained, base)
    from .checkpoint import ShardedCheckpoint

    return ShardedCheckpoint(trained, base)


def _sample(folder: Path) -> dict[str, str]:
    from .smoke import DIALOGUE, summarize

    answer = summarize(folder)
    print(f"merge: smoke test says: {answer}", flush=True)
    return {"dialogue": DIALOGUE, "summary": answer}


def _stop(*_: Any) -> NoReturn:
    """A cancelled run ends as Ctrl-C does: nothing of it stays on the local disk."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
