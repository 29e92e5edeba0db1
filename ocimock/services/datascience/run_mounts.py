"""A run's storage mounts: folders that all its nodes see, kept in step while it runs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from ...iam.principals import of_resource
from .base import JOB_RUN
from .bucket_folder import BucketFolder, Changing, Mount
from .executed_record import Forgotten
from .run_plan import RunPlan

# Seconds between two looks.
_EVERY = 2.0
# Where OCI mounts what does not say where. Source: API reference of StorageMountConfiguration.
_DEFAULT = "/mnt"


class RunMounts:
    """The mounts of one run; as a context: filled at the start, written back at the end.

    :param warn: hears what could not be carried over.
    """

    def __init__(
        self, plan: RunPlan, folder: Path, changing: Changing, warn: Callable[[str], None]
    ) -> None:
        self._folders: dict[str, Path] = {}
        self._buckets: list[BucketFolder] = []
        self._warn = warn
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep_in_step, daemon=True)
        for number, found in enumerate(plan.mounts):
            target = target_of(found)
            if "bucket" not in found:
                self._folders[target] = _file_storage(folder.parent, found)
                continue
            place = folder / f"mount-{number}" / "files"
            self._folders[target] = place
            mount = _mount(plan, found, changing)
            self._buckets.append(BucketFolder(mount, place, changing))

    def folders(self) -> dict[str, Path]:
        """Folders of the host by the paths at which nodes see them."""
        return dict(self._folders)

    def __enter__(self) -> RunMounts:
        self._sync(last=False)
        if self._buckets:
            self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """All that the nodes wrote goes to the bucket, however the run ended."""
        self._ending.set()
        if self._buckets:
            self._thread.join()
        self._sync(last=True)

    def _keep_in_step(self) -> None:
        while not self._ending.wait(_EVERY):
            try:
                self._sync(last=False)
            except Forgotten:
                return
            except Exception:  # noqa: BLE001 - a full disk, say: the last one tells
                continue

    def _sync(self, *, last: bool) -> None:
        for bucket in self._buckets:
            for problem in bucket.sync(last=last):
                self._warn(problem)


def target_of(mount: dict[str, Any]) -> str:
    """Where a node sees a mount."""
    parent = mount.get("destinationPath") or _DEFAULT
    return str(PurePosixPath(parent, mount["destinationDirectoryName"]))


def _mount(plan: RunPlan, found: dict[str, Any], changing: Changing) -> Mount:
    with changing() as cloud:
        run = cloud.store.find(JOB_RUN, plan.run_id)
        assert run is not None
        who = of_resource(cloud, run)
    prefix = str(found.get("prefix") or "").strip("/")
    return Mount(plan.region, found["bucket"], f"{prefix}/" if prefix else "", who)


def _file_storage(folder: Path, found: dict[str, Any]) -> Path:
    """A file system: a folder that stays as long as the mock, for every run that mounts it."""
    what = {name: value for name, value in found.items() if not name.startswith("destination")}
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    place = folder / f"file-storage-{digest}"
    place.mkdir(parents=True, exist_ok=True)
    return place
