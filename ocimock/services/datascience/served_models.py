"""The files of a model, laid out for the server of a deployment."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...cloud import Cloud
from ...store import Record
from ...wire.body import Body, InFile
from ...wire.errors import ObjectNotFound
from ..objectstorage import versions
from ..objectstorage.base import BUCKET, bucket_key
from .models import referenced
from .run_files import BROKEN
from .run_plan import CannotRun


@dataclass(frozen=True)
class ModelFiles:
    """What a model is made of: an archive, or the objects that it names in Object Storage.

    :param objects: names and bodies; a name is the path of the file, as OCI lays them out.
    """

    archive: Body | None
    objects: tuple[tuple[str, Body], ...] = ()


def files_of(cloud: Cloud, model: Record, region: str) -> ModelFiles:
    """What the artifact of *model* holds now.

    :raises CannotRun: it has none, or an object that it names is gone.
    """
    artifact = model.private.get("artifact")
    if artifact is None:
        raise CannotRun(f"Model {model.id} has no artifact")
    body = cloud.blobs.get(artifact["blob"])
    places = referenced(body)
    if places is None:
        return ModelFiles(_held(body))
    found = []
    for place in places:
        bucket = cloud.store.find(BUCKET, bucket_key(region, place["bucketName"]))
        if bucket is None:
            raise CannotRun(f"Bucket '{place['bucketName']}' of model {model.id} does not exist")
        for named in place["objects"]:
            found.append((str(named["name"]), _object(cloud, bucket, named)))
    return ModelFiles(None, tuple(found))


def lay_out(files: ModelFiles, folder: Path, *, may_link: bool) -> None:
    """Put them into *folder*, which must not be there yet.

    :param may_link: nobody can write to the files: they need not be copies.
    :raises CannotRun: the archive is none, or a name can't be a file's.
    """
    folder.mkdir(parents=True)
    if files.archive is not None:
        _unzip(files.archive, folder)
    _check_names([name for name, _ in files.objects])
    for name, body in files.objects:
        if name.endswith("/"):
            continue  # the marker of a folder
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (may_link and _linked(body, path)):
                _write(body, path)
        except OSError as fault:
            raise CannotRun(
                f"the model's object '{name}' can't be a file here: {fault.strerror or fault}"
            ) from None


def _object(cloud: Cloud, bucket: Record, named: dict[str, object]) -> Body:
    try:
        version = named.get("version")
        found = versions.find(cloud, bucket, str(named["name"]), str(version) if version else None)
    except ObjectNotFound as fault:
        raise CannotRun(fault.message) from None
    return _held(cloud.blobs.get(found.private["blob"]))


def _held(body: Body) -> Body:
    """*body*, to be read outside of the cloud's lock: what is in a state file's row must not."""
    in_files = all(isinstance(segment, InFile) for segment in body.segments)
    return body if in_files else Body.of(bytes(body))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            raise CannotRun(f"the model's object '{name}' can't be a file of that name")


def _unzip(archive: Body, folder: Path) -> None:
    draft = folder.with_suffix(".zip")
    _write(archive, draft)
    try:
        with zipfile.ZipFile(draft) as opened:
            # Leaves out what would lead out of the folder.
            opened.extractall(folder)
    except BROKEN as fault:
        why = (fault.strerror if isinstance(fault, OSError) else None) or fault
        raise CannotRun(f"the model's artifact can't be unzipped: {why}") from None
    finally:
        draft.unlink()


def _linked(body: Body, path: Path) -> bool:
    """Whether *path* is the very file now in which *body* lies: no copy of many gigabytes."""
    if len(body.segments) != 1 or not isinstance(body.segments[0], InFile):
        return False
    segment = body.segments[0]
    if segment.size != body.size:
        return False
    try:
        os.link(segment.path, path)
    except OSError:
        return False  # on another disk, say
    return True


def _write(body: Body, path: Path) -> None:
    with path.open("wb") as file:
        for piece in body.pieces():
            file.write(piece)
