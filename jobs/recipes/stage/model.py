"""Stage a model."""

from __future__ import annotations

from ..buckets import Bucket
from .copying import copy, finish, is_done, standing
from .hub import Repository
from .manifest import NAME, Manifest
from .progress import in_words, say
from .selection import needed


def stage_model(repository: Repository, bucket: Bucket) -> Manifest:
    """Copy what a fine-tuning needs of the model; what it comes to.

    Raises:
        StageError: the hub refuses, the model has no safetensors, or a file arrives damaged.
        BucketError: Object Storage refuses.
    """
    before = standing(bucket)
    if before is not None and is_done(bucket, before, repository, {}):
        say(f"{repository.name} at {repository.commit} is already in {bucket.uri()}")
        return before
    files = needed(repository, repository.read)
    total = sum(file.size for file in files)
    say(
        f"{repository.name} at {repository.commit}: {len(files)} files, {in_words(total)}, "
        f"to {bucket.uri()}"
    )
    # The smallest is fetched before anything is changed: a gated model refuses here.
    repository.read(files[0])
    bucket.delete(NAME)
    staged = tuple(
        copy(repository, file, bucket, f"{number}/{len(files)}")
        for number, file in enumerate(files, start=1)
    )
    manifest = Manifest(
        kind="model",
        repo=repository.name,
        revision=repository.revision,
        commit=repository.commit,
        files=staged,
    )
    finish(bucket, manifest, before)
    say(f"{repository.name}: done, {len(staged)} files in {bucket.uri()}")
    return manifest
