"""What the hub answers to a request, apart from how it gets onto the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote

from .repositories import KINDS, File, Repositories, Repository

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Access:
    """Who may download what.

    :param members: tokens that may download everything.
    :param strangers: tokens that the hub knows, of accounts that accepted no licence.
    :param gated: patterns of the models that only members may download.
    """

    members: frozenset[str] = frozenset()
    strangers: frozenset[str] = frozenset()
    gated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request: its path without the query, its query, its headers by lower-case name."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """A status and headers, and a body: bytes, or *length* bytes of *file* from *start*."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    file: File | None = None
    start: int = 0
    length: int = 0


class _RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.answer = _json(
            {"error": message}, status, {"X-Error-Code": code, "X-Error-Message": message}
        )


def answer(asked: Asked, repositories: Repositories, access: Access) -> Answer:
    """What the hub says to *asked*."""
    try:
        return _answer(asked, repositories, access)
    except _RefusalError as refusal:
        return refusal.answer


def _answer(asked: Asked, repositories: Repositories, access: Access) -> Answer:
    words = [unquote(word) for word in asked.path.strip("/").split("/")]
    token = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if token and token not in access.members | access.strangers:
        raise _RefusalError(401, "", "Invalid credentials in Authorization header")
    match words:
        case ["api", ("models" | "datasets") as kind, org, name, *rest]:
            return _api(asked, _find(repositories, kind, f"{org}/{name}"), rest)
        case ["datasets", org, name, "resolve", revision, *path]:
            repository = _find(repositories, "datasets", f"{org}/{name}")
        case [org, name, "resolve", revision, *path]:
            repository = _find(repositories, "models", f"{org}/{name}")
        case _:
            raise _RefusalError(404, "", f"this stand-in for the hub has no {asked.path}")
    _check_revision(repository, revision)
    _check_access(repository, token, access)
    return _resolve(asked, repository, "/".join(path))


def _api(asked: Asked, repository: Repository, rest: list[str]) -> Answer:
    match rest:
        case []:
            return _about(asked, repository)
        case ["revision", revision]:
            _check_revision(repository, revision)
            return _about(asked, repository)
        case ["tree", revision, *folder]:
            _check_revision(repository, revision)
            return _tree(asked, repository, "/".join(folder))
        case ["paths-info", revision]:
            _check_revision(repository, revision)
            return _paths(asked, repository)
    raise _RefusalError(404, "", f"this stand-in for the hub has no {asked.path}")


def _about(asked: Asked, repository: Repository) -> Answer:
    with_blobs = "blobs" in parse_qs(asked.query)
    siblings = [
        file.listed("rfilename") if with_blobs else {"rfilename": file.name}
        for file in repository.files.values()
    ]
    return _json(
        {
            "_id": repository.commit[:24],
            "id": repository.name,
            "sha": repository.commit,
            "private": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
        }
    )


def _tree(asked: Asked, repository: Repository, folder: str) -> Answer:
    below = f"{folder}/" if folder else ""
    inside = [name for name in repository.files if name.startswith(below)]
    if folder and not inside:
        raise _RefusalError(404, "EntryNotFound", f"{folder} does not exist on main")
    is_deep = parse_qs(asked.query).get("recursive", ["false"])[0].lower() in ("true", "1")
    folders = sorted({name.rpartition("/")[0] for name in inside if "/" in name[len(below) :]})
    if not is_deep:
        inside = [name for name in inside if "/" not in name[len(below) :]]
        folders = sorted({below + name[len(below) :].split("/")[0] for name in folders})
    entries: list[dict[str, Any]] = [
        {"type": "directory", "path": name, "size": 0, "oid": repository.commit} for name in folders
    ]
    return _json(entries + [_entry(repository.files[name]) for name in inside])


def _paths(asked: Asked, repository: Repository) -> Answer:
    if "json" in asked.headers.get("content-type", ""):
        wanted = json.loads(asked.body)["paths"]
    else:
        wanted = parse_qs(asked.body.decode()).get("paths", [])
    entries: list[dict[str, Any]] = []
    for path in wanted:
        if path in repository.files:
            entries.append(_entry(repository.files[path]))
        elif any(name.startswith(f"{path}/") for name in repository.files):
            entries.append({"type": "directory", "path": path, "size": 0, "oid": repository.commit})
    return _json(entries)


def _entry(file: File) -> dict[str, Any]:
    return {"type": "file", **file.listed("path")}


def _resolve(asked: Asked, repository: Repository, path: str) -> Answer:
    file = repository.files.get(path)
    if file is None:
        raise _RefusalError(404, "EntryNotFound", "Entry not found")
    headers = {
        "ETag": f'"{file.etag}"',
        "X-Repo-Commit": repository.commit,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'inline; filename="{file.path.name}"',
    }
    if file.is_large:
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    asked_range = _RANGE.fullmatch(asked.headers.get("range", ""))
    if not asked_range:
        return Answer(200, headers, file=file, length=file.size)
    start = int(asked_range[1])
    end = min(int(asked_range[2] or file.size), file.size - 1)
    if start > end:
        return Answer(416, {**headers, "Content-Range": f"bytes */{file.size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    return Answer(206, headers, file=file, start=start, length=end + 1 - start)


def _find(repositories: Repositories, kind: str, name: str) -> Repository:
    found = repositories.find(kind, name)
    if found is None:
        raise _RefusalError(404, "RepoNotFound", "Repository not found")
    return found


def _check_revision(repository: Repository, revision: str) -> None:
    if revision not in ("main", "refs/heads/main", repository.commit):
        raise _RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _check_access(repository: Repository, token: str, access: Access) -> None:
    is_gated = repository.kind == "models" and any(
        fnmatchcase(repository.name, pattern) for pattern in access.gated
    )
    if not is_gated or token in access.members:
        return
    what = f"Access to {KINDS[repository.kind]} {repository.name} is restricted"
    if token:
        raise _RefusalError(403, "GatedRepo", f"{what} and you are not in the authorized list.")
    raise _RefusalError(401, "GatedRepo", f"{what}. You must be authenticated to access it.")


def _json(found: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, {**kind, **(headers or {})}, json.dumps(found).encode())
