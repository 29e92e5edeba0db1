"""Would pip find what a job wants installed, on the job's Python? A resolver's answer.

pip itself can't say: it resolves for the Python that it runs on, and its ``--python-version``
leaves environment markers as they are. uv can. It is asked for wheels alone: to look into a source
distribution it would run that package's code here. What an index has only as source is told apart.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PLATFORM = "x86_64-manylinux_2_28"
"""OCI's images for GPUs are Oracle Linux 8 (glibc 2.28) or newer."""

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
SECONDS = 45.0
_MOST_SOURCES = 8

# pip's variables by uv's; both take several places with a space between.
_VARIABLES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
_UNREACHABLE = (
    "Failed to fetch",
    "error sending request",
    "dns error",
    "Network connectivity",
    "network was disabled",
    "timed out",
    # Of an index that wants to know who asks, or stands behind a proxy that refuses.
    "lack of valid authentication credentials",
    "403 Forbidden",
)
# What uv ends with: nothing satisfies it. 2 is anything else, a folder that can't be written to.
_NO_SOLUTION = 1
_NOT_FOUND = "was not found in the package registry"
_NOT_READ = "Couldn't parse requirement"
_SOURCE_ONLY = re.compile(r"Wheels are required for `([^`]+)`")


class UnreachableError(Exception):
    """uv is not installed here, or no package index answered; the message says which."""


class UnresolvableError(Exception):
    """No set of versions satisfies the requirements; the message is the resolver's explanation."""


@dataclass(frozen=True)
class Package:
    """A package of the resolution."""

    name: str
    version: str


@dataclass(frozen=True)
class Resolution:
    """The *packages* that would be installed, by name; *sources* are those without a wheel for any
    Python: each node would build them."""

    packages: Mapping[str, Package]
    sources: tuple[str, ...] = ()


def resolve(
    requirements: Sequence[str],
    python: str,
    *,
    torch: str | None = None,
    indexes: Sequence[str] = (),
    flags: Collection[str] = (),
    seconds: float = SECONDS,
) -> Resolution:
    """What pip would install on *python* (``3.12``) beside *torch* (None: any that satisfies).

    :param indexes: lines of a requirements file, as ``--extra-index-url …``.
    :param flags: pip's ``--pre`` and ``--no-deps``.
    :param seconds: how long the resolver may take, however often it is asked.

    Raises:
        UnresolvableError: there is no such set; or one would have to be compiled on the nodes, of
            a package that has wheels for other Pythons and none for this one.
        UnreachableError: it could not be found out.
    """
    ends = time.monotonic() + seconds
    asked = _Question(tuple(indexes), frozenset(flags), torch, ends)
    sources: dict[str, str] = {}
    for _ in range(_MOST_SOURCES):
        done = _compile(requirements, python, asked, sources)
        if done.returncode == 0:
            _refuse_compiling(sources, python, asked)
            return Resolution(_packages(done.stdout), tuple(sources.values()))
        found = _SOURCE_ONLY.search(done.stderr)
        if found is None or found[1] in sources:
            break
        sources[found[1]] = _wanted(found[1], done.stderr)
    raise UnresolvableError(_explanation(done.stderr))


@dataclass(frozen=True)
class _Question:
    indexes: tuple[str, ...]
    flags: frozenset[str]
    torch: str | None
    ends: float


def _compile(
    requirements: Sequence[str], python: str, asked: _Question, without: Collection[str] = ()
) -> subprocess.CompletedProcess[str]:
    """One run of the resolver; packages *without* which are as if nobody asked for them."""
    if importlib.util.find_spec("uv") is None:
        raise UnreachableError("uv is not installed (make setup installs it)")
    with tempfile.TemporaryDirectory(prefix="tunestack-resolve-") as folder:
        wanted, given, left = (Path(folder, name) for name in ("wanted", "given", "left"))
        # Indexes are in a file, not among the arguments: their addresses may hold a password.
        wanted.write_text("\n".join([*asked.indexes, *requirements]) + "\n", encoding="utf-8")
        given.write_text(f"torch=={asked.torch}\n" if asked.torch else "", encoding="utf-8")
        left.write_text("".join(f"{name} ; python_version < '0'\n" for name in without))
        command = [
            *(sys.executable, "-m", "uv", "pip", "compile", str(wanted)),
            *("--constraint", str(given), "--override", str(left)),
            *("--python", sys.executable, "--python-version", python),
            *("--python-platform", PLATFORM, "--only-binary", ":all:"),
            *("--no-header", "--no-annotate", "--quiet", "--color", "never"),
            *(["--prerelease", "allow"] if "--pre" in asked.flags else []),
            *(["--no-deps"] if "--no-deps" in asked.flags else []),
        ]
        # As pip does, which takes the best of all indexes.
        best = [*command, "--index-strategy", "unsafe-best-match"]
        done = _run(best, folder, asked.ends)
        if done.returncode and _NOT_FOUND in done.stderr:
            # Which index refuses to answer, uv only tells where it takes the first that has it.
            told = _run([*command, "--index-strategy", "first-index"], folder, asked.ends)
            done.stderr += told.stderr if any(s in told.stderr for s in _UNREACHABLE) else ""
    if done.returncode and any(sign in done.stderr for sign in _UNREACHABLE):
        raise UnreachableError(_unreached(done.stderr))
    if done.returncode not in (0, _NO_SOLUTION) and _NOT_READ not in done.stderr:
        raise UnreachableError(f"the resolver could not run: {_explanation(done.stderr)}")
    return done


def _run(command: list[str], folder: str, ends: float) -> subprocess.CompletedProcess[str]:
    """Raises UnreachableError where it has not ended by then."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            timeout=max(ends - time.monotonic(), 0),
        )
    except subprocess.TimeoutExpired:
        raise UnreachableError("the package index did not answer in time") from None


def _environment() -> dict[str, str]:
    """This process's, with pip's indexes under uv's names; what is set for uv itself stays."""
    found = dict(os.environ)
    for pips, uvs in _VARIABLES.items():
        if found.get(pips):
            found.setdefault(uvs, found[pips])
    # Whoever is offline should not wait for that.
    found.setdefault("UV_HTTP_RETRIES", "0")
    found.setdefault("UV_HTTP_TIMEOUT", "15")
    found["UV_PYTHON_DOWNLOADS"] = "never"
    return found


def _refuse_compiling(sources: Mapping[str, str], python: str, asked: _Question) -> None:
    """A package with wheels for other Pythons has something compiled in it; one with none at all
    is likely Python alone, which builds anywhere."""
    alone = _Question(asked.indexes, asked.flags | {"--no-deps"}, None, asked.ends)
    for wanted in sources.values():
        for other in sorted(PYTHONS, key=lambda each: _distance(each, python)):
            if other != python and _compile([wanted], other, alone).returncode == 0:
                raise UnresolvableError(
                    f"{wanted} has a wheel for Python {other} and none for Python {python}: each "
                    "node would have to compile it"
                )


def _distance(one: str, other: str) -> int:
    return abs(int(one.partition(".")[2]) - int(other.partition(".")[2]))


def _wanted(name: str, said: str) -> str:
    """The requirement on *name* that could not be met, as far as the resolver's words have it."""
    found = re.search(rf"({re.escape(name)}[^\s]*) has no usable wheels", " ".join(said.split()))
    return found[1] if found else name


def _packages(text: str) -> dict[str, Package]:
    pairs = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {name: Package(name, version) for name, _, version in pairs}


def _explanation(said: str) -> str:
    """uv's words without what it puts around them."""
    text = " ".join(said.partition("\nhint:")[0].split())
    text = re.sub(r"^.*?(?:cause: |╰─▶ )", "", text)
    return hidden(text.removeprefix("error: "))


def _unreached(said: str) -> str:
    """The line that tells which index did not answer."""
    lines = [line.strip() for line in said.splitlines()]
    found = next(line for line in lines if any(sign in line for sign in _UNREACHABLE))
    return hidden(found.removeprefix("error: ").removeprefix("cause: ").removeprefix("hint: "))


def hidden(text: str) -> str:
    """*text* without the user names and passwords of its addresses."""
    return re.sub(r"://[^/\s@]+@", "://…@", text)
