"""A package index on loopback: names, versions and metadata alone, as a resolver needs no more.

It has what the jobs' own pip lists ask for, and PyTorch as the real one has it: 2.1.0 has wheels
for Python 3.8 to 3.11, 2.8.0 for 3.9 to 3.13.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.llama_recipes import PIP_PACKAGES
from infra.recipes import packages
from jobs.preflight.pip_words import name_of, normal

ANY = "py3-none-any"
_LINUX = "manylinux_2_17_x86_64"


@dataclass(frozen=True)
class Release:
    """A version of a package: the *tags* of its wheels, what it *requires*, and whether it has its
    *source*."""

    version: str
    tags: tuple[str, ...] = (ANY,)
    requires: tuple[str, ...] = ()
    source: bool = False


def compiled(version: str, *pythons: int, source: bool = False) -> Release:
    """A release with a wheel for each of Python 3.*pythons*."""
    tags = tuple(f"cp3{minor}-cp3{minor}-{_LINUX}" for minor in pythons)
    return Release(version, tags, source=source)


def usual() -> dict[str, list[Release]]:
    """What the jobs' pip lists ask for, each at the release that they pin."""
    found: dict[str, list[Release]] = {}
    for text in (*packages(), *PIP_PACKAGES):
        name = name_of(text)
        if not name or "://" in text:
            continue
        pinned = re.search(r"==([^,]+)", text)
        # Of those that are not pinned, some may not be too new.
        release = Release(pinned[1] if pinned else "0.1", requires=_REQUIRES.get(name, ()))
        if release not in found.setdefault(name, []):
            found[name].append(release)
    found["torch"] = [compiled("2.1.0", 8, 9, 10, 11), compiled("2.8.0", 9, 10, 11, 12, 13)]
    found["sentencepiece"] = [
        compiled("0.1.99", 8, 9, 10, 11, source=True),
        compiled("0.2.3", 9, 10, 11, 12, 13, source=True),
    ]
    return found


_REQUIRES = {"accelerate": ("torch>=1.10",), "peft": ("torch>=1.13",)}


@contextmanager
def running_index(releases: Mapping[str, Iterable[Release]] | None = None) -> Iterator[str]:
    """Serve *releases*, by default the :func:`usual` ones, on a free port; the index's address."""
    server = _Index(dict(usual() if releases is None else releases))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Index(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, releases: Mapping[str, Iterable[Release]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = {normal(name): _page(name, each) for name, each in releases.items()}
        self.metadata = {
            f"{file}.metadata": _metadata(name, release)
            for name, each in releases.items()
            for release in each
            for file in _wheels(name, release)
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Index

    def do_GET(self) -> None:
        _, _, kind, *rest = [*self.path.split("/"), ""]
        name = rest[0] if rest else ""
        if kind == "files":
            text = self.server.metadata.get(name)
        else:
            text = self.server.pages.get(normal(kind)) if kind else None
        body = (text or "not here").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def _page(name: str, releases: Iterable[Release]) -> str:
    """Links to all files; those of wheels say that their metadata lies beside them."""
    links = [
        f'<a href="/simple/files/{file}" data-dist-info-metadata="true">{file}</a>'
        for release in releases
        for file in _wheels(name, release)
    ]
    links += [
        f'<a href="/simple/files/{file}">{file}</a>'
        for release in releases
        if release.source
        for file in [f"{name}-{release.version}.tar.gz"]
    ]
    return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"


def _wheels(name: str, release: Release) -> list[str]:
    stem = f"{normal(name).replace('-', '_')}-{release.version}"
    return [f"{stem}-{tag}.whl" for tag in release.tags]


def _metadata(name: str, release: Release) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {release.version}"]
    lines += [f"Requires-Dist: {each}" for each in release.requires]
    # Extras that the lists ask for.
    return "\n".join([*lines, "Provides-Extra: jupyter", ""])
