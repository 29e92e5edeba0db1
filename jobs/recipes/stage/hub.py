"""The Hugging Face hub, or what ``HF_ENDPOINT`` names: list a repository, fetch its files.

Files come by ranges, some at a time, with the checksum that the hub states: SHA-256 for what lies
in its large-file store, the SHA-1 of a git blob for the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..ahead import ahead
from .errors import StageError
from .refusals import telling

PART_SIZE = 64 * 1024**2  # bytes
WORKERS = 3
_BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class HubFile:
    """A file of a repository. One of the two checksums is known; both are in hex."""

    name: str
    size: int
    sha256: str = ""
    git_sha1: str = ""


@dataclass(frozen=True)
class Repository:
    """A model or a data set (*kind*) at one commit."""

    kind: str
    name: str
    revision: str
    commit: str
    files: tuple[HubFile, ...]
    token: str | None = field(repr=False, default=None)

    def find(self, name: str) -> HubFile | None:
        return next((file for file in self.files if file.name == name), None)

    def read(self, file: HubFile) -> bytes:
        """All of a small file."""
        return b"".join(self.parts(file))

    def parts(self, file: HubFile) -> Iterator[bytes]:
        """The file's bytes in parts of :data:`PART_SIZE`; fetched ahead of the reader.

        Raises:
            StageError: the hub refuses; or, after the last part, the checksum is not right.
        """
        digests = (hashlib.sha256(), hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False))
        starts = range(0, file.size, PART_SIZE)
        size = 0
        for part in ahead(lambda start: self._fetch(file, start), starts, WORKERS):
            size += len(part)
            for digest in digests:
                digest.update(part)
            yield part
        found = digests[0 if file.sha256 else 1].hexdigest()
        if size != file.size or found != (file.sha256 or file.git_sha1):
            raise StageError(
                f"{file.name} of {self.name} arrived damaged: {size:,} bytes, checksum {found}; "
                f"the hub lists {file.size:,} with {file.sha256 or file.git_sha1}. Run again"
            )

    def _fetch(self, file: HubFile, start: int) -> bytes:
        from huggingface_hub import constants, hf_hub_url
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            hf_raise_for_status,
            http_backoff,
        )

        end = min(start + PART_SIZE, file.size) - 1
        url = hf_hub_url(self.name, file.name, repo_type=self.kind, revision=self.commit)
        headers = build_hf_headers(token=self.token or False)
        with telling(self.kind, self.name, self.revision, self.token):
            answer = http_backoff(
                "GET",
                url,
                headers={**headers, "range": f"bytes={start}-{end}"},
                timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
                retry_on_status_codes=_BUSY,
            )
            hf_raise_for_status(answer)
        return bytes(answer.content)


def repository(kind: str, name: str, revision: str, token: str | None) -> Repository:
    """What the hub says of *name* at *revision*.

    Raises:
        StageError: there is none, it may not be seen, or the hub does not answer.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token or False)
    ask = api.model_info if kind == "model" else api.dataset_info
    with telling(kind, name, revision, token):
        about = ask(name, revision=revision, files_metadata=True)
    files = tuple(_file(one) for one in about.siblings or ())
    return Repository(kind, name, revision, about.sha or revision, files, token)


def _file(sibling: Any) -> HubFile:
    if sibling.lfs:
        return HubFile(sibling.rfilename, sibling.lfs.size, sha256=sibling.lfs.sha256)
    return HubFile(sibling.rfilename, sibling.size or 0, git_sha1=sibling.blob_id or "")
