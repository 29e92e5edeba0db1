"""What model a pipeline trains and serves: a known one, or one whose ``config.json`` is staged."""

from __future__ import annotations

from dataclasses import replace

from sizing.models import Model, ModelConfigError, read_config

from ..definitions import Definition, bucket_path
from ..errors import JobsError
from ..sized import Sized, sized
from .subject import Subject

CONFIG = "config.json"


def sized_of(subject: Subject, finetune: Definition | None = None) -> Sized:
    """What a training is in the terms of ``sizing``; the model from the bucket where the table has
    it not, and it lies there.

    Raises:
        DefinitionError: a number in the command is none.
    """
    found = sized(subject.definitions, finetune)
    return found if found.model is not None else replace(found, model=_staged(subject, found))


def _staged(subject: Subject, found: Sized) -> Model | None:
    """None where nothing is staged yet, nothing may be asked, or its build is not sized."""
    from oci.object_storage import ObjectStorageClient
    from oci.retry import NoneRetryStrategy

    folder = subject.definitions["stage"].argument("--model-to") or ""
    if subject.offline or not folder.startswith("oci://"):
        return None
    try:
        namespace, bucket, prefix = bucket_path(folder)
        name = f"{prefix.rstrip('/')}/{CONFIG}"
        client = subject.client(ObjectStorageClient)
        # Tried once: the pipeline can be looked at without.
        answer = subject.get(
            f"read {name}",
            client.get_object,
            namespace,
            bucket,
            name,
            retry_strategy=NoneRetryStrategy(),
        )
        return read_config(bytes(answer.content).decode("utf-8", "replace"), found.model_id)
    except (JobsError, ModelConfigError):
        return None
