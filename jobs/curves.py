"""The figures of a job run, from where they are: its log, or the file that it left."""

from __future__ import annotations

from pathlib import Path

from .auth import storage
from .definitions import bucket_path, read_all
from .errors import attempting
from .metrics import Curve, gather
from .record import Entry
from .run_log import tail

FILE = "metrics.jsonl"
# OCI Logging gives at most so many lines an answer.
_LINES = 1000


def curve_of(entry: Entry, folder: Path) -> Curve:
    """The curve of a run. *folder* holds the definitions, which say where its output lies.

    A training that ended well has left all its figures in a file; the log gives no more than the
    last thousand lines.

    Raises:
        DefinitionError: the definitions are not there, or not in order.
    """
    left = _file(entry, folder) if entry.step == "finetune" and entry.done else None
    if left is not None:
        return gather(left.splitlines())
    return gather(line.text for line in tail(entry, _LINES))


def _file(entry: Entry, folder: Path) -> str | None:
    """The text of the file; None where there is none, or it is another run's."""
    from oci.exceptions import ServiceError

    finetune = read_all(folder)["finetune"]
    uri = finetune.mount("outputs")
    if uri is None or finetune.digest != entry.digest or entry.simulated:
        return None
    namespace, bucket, prefix = bucket_path(uri)
    with attempting(f"read {uri}{FILE}"):
        try:
            found = storage().get_object(namespace, bucket, f"{prefix}{FILE}").data
        except ServiceError as error:
            if error.status == 404:
                return None
            raise
    return str(found.content.decode("utf-8"))
