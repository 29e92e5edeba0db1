"""``python -m recipes.stage``: see the package."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any, NoReturn

from ..buckets import Bucket, BucketError
from ..credentials import CredentialsError
from ..vault import TokenError, hub_token
from . import __doc__ as about
from .dataset import COLUMNS, Reading, stage_dataset
from .errors import StageError
from .hub import repository
from .model import stage_model


def main(argv: list[str] | None = None) -> int:
    """Stage; 0 when all is in the bucket, 1 when it can't be, 2 for a mistake in the arguments."""
    parser = _parser()
    options = parser.parse_args(argv)
    _check(parser, options)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _stage(options)
    except (StageError, BucketError, CredentialsError, TokenError) as error:
        print(f"stage: {error}", file=sys.stderr, flush=True)
        return 1
    except ValueError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("stage: stopped; run it again, it goes on where it was", file=sys.stderr)
        return 130
    return 0


def _stage(options: argparse.Namespace) -> None:
    model_to = _place(options.model_to) if options.model else None
    dataset_to = _place(options.dataset_to) if options.dataset else None
    token = hub_token()
    if dataset_to is not None:
        found = repository("dataset", options.dataset, options.dataset_revision, token)
        reading = Reading(options.dataset_config, options.dialogue_column, options.summary_column)
        stage_dataset(found, dataset_to, reading)
    if model_to is not None:
        found = repository("model", options.model, options.model_revision, token)
        stage_model(found, model_to)


def _place(uri: str) -> Bucket:
    bucket = Bucket.at(uri)
    if not bucket.prefix:
        raise ValueError(f"'{uri}' names no folder: what is staged needs one of its own")
    return bucket


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("recipes.stage", description=(about or "").splitlines()[0])
    parser.add_argument("--model", metavar="ORG/NAME")
    parser.add_argument("--model-revision", default="main", help="a branch, a tag or a commit")
    parser.add_argument("--model-to", metavar="oci://BUCKET@NAMESPACE/FOLDER")
    parser.add_argument("--dataset", metavar="ORG/NAME")
    parser.add_argument("--dataset-revision", default="main", help="a branch, a tag or a commit")
    parser.add_argument("--dataset-config", default="", help="where a data set has several")
    parser.add_argument("--dialogue-column", default=COLUMNS[0])
    parser.add_argument("--summary-column", default=COLUMNS[1])
    parser.add_argument("--dataset-to", metavar="oci://BUCKET@NAMESPACE/FOLDER")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if not options.model and not options.dataset:
        parser.error("there is nothing to stage: give --model, --dataset, or both")
    for what in ("model", "dataset"):
        given, place = getattr(options, what), getattr(options, f"{what}_to")
        if bool(given) != bool(place):
            parser.error(f"--{what} and --{what}-to go together")


def _stop(*_: Any) -> NoReturn:
    """A cancelled run ends as Ctrl-C does: what was begun in the bucket is taken back."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
