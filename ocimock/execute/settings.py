"""The execution file: what a mock that executes is told of environments, images and limits.

It is TOML; ``python -m ocimock serve --execute FILE`` reads it at the start. Paths in it are
relative to the file itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from .machines import Isolation
from .nodes import STOP_SECONDS
from .specs import Limits

T = TypeVar("T")

Keep = Literal["never", "failed", "always"]

# As OCI means it where it says GB of memory.
_UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*", re.IGNORECASE)
_LOOPBACK = re.compile(r"(127(?:\.\d{1,3}){3}|localhost):(\d{1,5})")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ExecutionFileError(Exception):
    """The execution file can't be used; the message names the file, the key, and what may be."""


@dataclass(frozen=True)
class Image:
    """What stands for a container image on this machine.

    :param pattern: of the image's name, as in :mod:`fnmatch`.
    :param environment: the folder of the Python environment that its commands find first.
    :param folder: of the host, seen read-only at ``/opt/ocimock/image``; the working directory.
    :param command: takes the place of the image's entry point, and of the job's.
    :param variables: the image's own environment variables.
    """

    pattern: str
    environment: Path | None = None
    folder: Path | None = None
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionSettings:
    """What the file says.

    :param environments: patterns of conda slugs, each with the folder of a Python environment.
    :param hosts: names of the internet, each with the loopback address that stands in for it.
    :param limits: the most that one node may use, whatever its shape has.
    :param keep: whose folders stay when they end: of no run, of failed ones, of all.
    :param stop_seconds: how long a node may take to end after SIGTERM.
    """

    file: Path
    isolation: Isolation = "auto"
    environments: Mapping[str, Path] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    keep: Keep = "never"
    stop_seconds: float = STOP_SECONDS

    def environment(self, slug: str) -> Path | None:
        """The folder of the environment that stands for a conda environment, if one does."""
        return next(
            (folder for name, folder in self.environments.items() if fnmatchcase(slug, name)), None
        )

    def image(self, name: str) -> Image | None:
        """What stands for a container image, if anything does."""
        return next((image for image in self.images if fnmatchcase(name, image.pattern)), None)


def read(path: Path) -> ExecutionSettings:
    """:raises ExecutionFileError: it can't be read, or says what can't be."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ExecutionFileError(f"{path} can't be read: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ExecutionFileError(f"{path} is no TOML: {fault}") from None
    return _settings(_Table(path, "", found))


class _Table:
    """A table of the file, read key by key; a key that nobody asked for is refused."""

    def __init__(self, file: Path, name: str, found: Mapping[str, Any]) -> None:
        self.file = file
        self._name = name
        self._left = dict(found)
        self._known: list[str] = []

    def key(self, name: str) -> str:
        quoted = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
        return f"{self._name}.{quoted}" if self._name else quoted

    def wrong(self, name: str, message: str) -> ExecutionFileError:
        return ExecutionFileError(f"{self.file}: {self.key(name)}: {message}")

    def take(self, name: str, of: Callable[[_Table, str, Any], T], default: T) -> T:
        """The value of a key as *of* understands it."""
        self._known.append(name)
        return of(self, name, self._left.pop(name)) if name in self._left else default

    def table(self, name: str) -> _Table:
        self._known.append(name)
        found = self._left.pop(name, {})
        if not isinstance(found, dict):
            raise self.wrong(name, "must be a table")
        return _Table(self.file, self.key(name), found)

    def rest(self, of: Callable[[_Table, str, Any], T]) -> dict[str, T]:
        """All of it, in the order of the file: names are the user's own."""
        return {name: of(self, name, value) for name, value in self._left.items()}

    def tables(self) -> Iterator[tuple[str, _Table]]:
        for name in list(self._left):
            yield name, self.table(name)

    def end(self) -> None:
        """:raises ExecutionFileError: there are keys that mean nothing."""
        for name in self._left:
            raise self.wrong(name, f"no such key; there are {', '.join(self._known)}")


def _settings(table: _Table) -> ExecutionSettings:
    limits = table.table("limits")
    found = ExecutionSettings(
        file=table.file,
        isolation=cast(Isolation, table.take("isolation", _one_of(Isolation), "auto")),
        environments=table.table("environments").rest(_environment),
        images=tuple(_image(*entry) for entry in table.table("images").tables()),
        hosts=table.table("hosts").rest(_host),
        limits=Limits(
            cpus=limits.take("cpus", _cpus, None),
            memory=limits.take("memory", _size, None),
            disk=limits.take("disk", _size, None),
        ),
        keep=cast(Keep, table.take("keep", _one_of(Keep), "never")),
        stop_seconds=table.take("stop_seconds", _seconds, STOP_SECONDS),
    )
    limits.end()
    table.end()
    return found


def _image(pattern: str, table: _Table) -> Image:
    found = Image(
        pattern,
        environment=table.take("environment", _environment, None),
        folder=table.take("folder", _folder, None),
        command=table.take("command", _words, ()),
        variables=table.table("variables").rest(_variable),
    )
    table.end()
    return found


def _folder(table: _Table, name: str, value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise table.wrong(name, "must be the path of a folder")
    # Not resolved: a virtualenv is told by the path under which its python is called.
    found = table.file.parent / Path(value).expanduser()
    if not found.is_dir():
        raise table.wrong(name, f"there is no folder {found}")
    return found.absolute()


def _environment(table: _Table, name: str, value: Any) -> Path:
    found = _folder(table, name, value)
    if not (found / "bin" / "python").is_file():
        raise table.wrong(
            name,
            f"{found} has no bin/python; name the folder of a virtualenv or a conda environment",
        )
    return found


def _words(table: _Table, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise table.wrong(name, 'must be a list of words, as in ["python", "-m", "server"]')
    return tuple(value)


def _variable(table: _Table, name: str, value: Any) -> str:
    if not _VARIABLE.fullmatch(name):
        raise table.wrong(name, "is no name of an environment variable")
    if not isinstance(value, str):
        raise table.wrong(name, "must be a string")
    return value


def _host(table: _Table, name: str, value: Any) -> tuple[str, int]:
    if not _HOST.fullmatch(name):
        raise table.wrong(name, "is no name of a host")
    found = _LOOPBACK.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < int(found[2]) < 65536:
        raise table.wrong(name, 'must be a port of this machine, as in "127.0.0.1:8000"')
    return found[1], int(found[2])


def _cpus(table: _Table, name: str, value: Any) -> int | None:
    if type(value) is not int or value < 1:
        raise table.wrong(name, f"{value!r} is not a whole number of 1 or more")
    return value


def _size(table: _Table, name: str, value: Any) -> int | None:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    amount = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if amount <= 0:
        raise table.wrong(name, f'{value!r} is no size; write "512 MB" or "4 GB"')
    return amount


def _seconds(table: _Table, name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 3600:
        raise table.wrong(name, f"{value!r} is not a number of seconds from 0 to 3600")
    return float(value)


def _one_of(choices: Any) -> Callable[[_Table, str, Any], str]:
    allowed = get_args(choices)

    def choose(table: _Table, name: str, value: Any) -> str:
        if value not in allowed:
            raise table.wrong(name, f"{value!r} is not one of {', '.join(allowed)}")
        return str(value)

    return choose
