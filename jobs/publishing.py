"""The definitions in the bucket, beside the ledger's mirror: for whoever runs the pipeline without
Terraform, in a notebook session or in a CI job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from .bucket_folder import BucketFolder
from .definitions import PIPELINE_FILE
from .errors import DefinitionError
from .files import write_atomically

BELOW = "definitions/"


def publish(folder: BucketFolder, texts: Mapping[str, str]) -> None:
    """Keep *texts*, by file name, in the bucket; what is there as it should be is left alone.

    Raises:
        RefusedError, UnreachableError: the bucket can't be written to.
        StaleWriteError: somebody else publishes at this moment.
    """
    present = folder.names(BELOW)
    for name in _pipeline_last(texts):
        text = texts[name]
        found = folder.read(BELOW + name) if BELOW + name in present else None
        if found is None or found.text != text:
            folder.write(BELOW + name, text, found)
    for name in present:
        if name.removeprefix(BELOW) not in texts:
            folder.delete(name)


def fetch(uri: str, to: Path) -> Path:
    """Write the definitions that are kept below *uri* to the folder *to*; that folder.

    Raises:
        DefinitionError: none are.
        RefusedError, UnreachableError: the bucket can't be read.
    """
    source = BucketFolder(uri)
    found = (source.read(name) for name in source.names(BELOW))
    texts = {each.name.removeprefix(BELOW): each.text for each in found if each is not None}
    if PIPELINE_FILE not in texts:
        raise DefinitionError(
            f"{source.uri} keeps no definitions.",
            "Where Terraform's outputs are: 'python -m jobs emit --publish'.",
        )
    for name in _pipeline_last(texts):
        write_atomically(to / Path(name).name, texts[name])
    for path in to.glob("*.yaml"):
        if path.name not in texts:
            path.unlink()
    return to


def _pipeline_last(names: Iterable[str]) -> list[str]:
    """So that it never names what is not there, whenever somebody reads or this is killed."""
    return sorted(names, key=lambda each: each == PIPELINE_FILE)
