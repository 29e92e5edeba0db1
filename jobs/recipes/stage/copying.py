"""From the hub to the bucket, file by file; what lies there already is not copied again."""

from __future__ import annotations

from collections.abc import Mapping

from ..buckets import SHA256, Bucket
from .hub import HubFile, Repository
from .manifest import NAME, Manifest, ManifestError, StagedFile
from .progress import in_words, say, told

GIT_SHA1 = "git-sha1"
"""The metadata entry with the hub's name for a small file's content."""


def standing(bucket: Bucket) -> Manifest | None:
    """What was staged there, whole or not; None where that can't be told."""
    content = bucket.read(NAME)
    if content is None:
        return None
    try:
        return Manifest.from_json(content, bucket.uri(NAME))
    except ManifestError:
        return None


def is_done(
    bucket: Bucket, manifest: Manifest | None, repository: Repository, settings: Mapping[str, str]
) -> bool:
    """Whether the folder holds all of this commit already."""
    if manifest is None or (manifest.repo, manifest.commit) != (repository.name, repository.commit):
        return False
    if dict(manifest.settings) != dict(settings):
        return False
    sizes = {one.name: one.size for one in bucket.list()}
    return all(sizes.get(file.name) == file.size for file in manifest.files)


def copy(repository: Repository, file: HubFile, bucket: Bucket, count: str) -> StagedFile:
    """Copy one file, unless the very same lies there. *count* is for people: ``2/7``."""
    about = bucket.head(file.name)
    if about is not None and about.size == file.size and about.metadata.get(SHA256):
        same = about.metadata[SHA256] == file.sha256
        same_blob = bool(file.git_sha1) and about.metadata.get(GIT_SHA1) == file.git_sha1
        if same or same_blob:
            say(f"{count} {file.name}: already there")
            return StagedFile(file.name, file.size, about.metadata[SHA256])
    say(f"{count} {file.name}: {in_words(file.size)}")
    if file.sha256 and file.size:
        parts = told(repository.parts(file), file.name, file.size)
        bucket.upload_parts(file.name, parts, {SHA256: file.sha256})
        return StagedFile(file.name, file.size, file.sha256)
    content = repository.read(file)
    digest = bucket.write(file.name, content, {GIT_SHA1: file.git_sha1} if file.git_sha1 else {})
    return StagedFile(file.name, file.size, digest)


def finish(bucket: Bucket, manifest: Manifest, before: Manifest | None) -> None:
    """Delete what an earlier staging left and this one has not, then write the manifest.

    Weights are looked for too: a run that was interrupted before this one has no manifest, and
    shards of two commits in one folder would be read as one model.
    """
    stale = {file.name for file in before.files} if before else set()
    stale |= {one.name for one in bucket.list() if _is_weights(one.name)}
    for name in sorted(stale - {file.name for file in manifest.files}):
        say(f"{name}: deleted, it is not of {manifest.commit}")
        bucket.delete(name)
    bucket.write(NAME, manifest.to_json())


def _is_weights(name: str) -> bool:
    return "/" not in name and name.endswith(".safetensors")
