"""A node's home: the job's artifact in it, unpacked as OCI does."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ...execute.meters import in_units
from ...execute.specs import DATASCIENCE_HOME
from ...wire.body import Body
from .run_plan import CannotRun

# Where an archive is unpacked. Source: ADS's drivers, which OCI's hosts run there.
_UNPACKED = "decompressed_artifact"
_ENTRY_POINT = "JOB_RUN_ENTRYPOINT"
_TAR = (".tar", ".tar.gz", ".tgz")
# What reading an archive raises that is broken, or encrypted, or has names that no file can have.
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
# A repository that the host's user cloned from is another one's to the node.
_GIT_CONFIG = "[safe]\n\tdirectory = *\n"


def make_home(
    home: Path, name: str, body: Body, variables: Mapping[str, str], most: int | None
) -> tuple[str, ...]:
    """Put the artifact *body*, a file called *name*, into *home*; the command that it is.

    :param most: bytes that the node may write; what an archive holds counts as written.
    :raises CannotRun: it is no such archive, or has no such entry point; the message says more.
    """
    file = home / PurePosixPath(name).name
    try:
        with file.open("wb") as written:
            for piece in body.pieces():
                written.write(piece)
    except (OSError, ValueError) as fault:
        raise CannotRun(f"artifact '{name}' can't be put into the node's home: {fault}") from None
    if name.endswith(".zip") or name.endswith(_TAR):
        folder = home / _UNPACKED
        folder.mkdir()
        _unpack(file, folder, most)
        file.unlink()
        entry = _entry_point(folder, name, variables)
        return _command(f"{DATASCIENCE_HOME}/{_UNPACKED}/{entry}", folder / entry)
    return _command(f"{DATASCIENCE_HOME}/{file.name}", file)


def empty_home(home: Path) -> None:
    """A home with what every user has there."""
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text(_GIT_CONFIG)


def _entry_point(folder: Path, name: str, variables: Mapping[str, str]) -> str:
    entry = variables.get(_ENTRY_POINT, "")
    if not entry:
        raise CannotRun(
            f"artifact {name} is an archive, and {_ENTRY_POINT} does not name the file in it to run"
        )
    path = PurePosixPath(entry)
    if path.is_absolute() or ".." in path.parts:
        raise CannotRun(f"{_ENTRY_POINT} '{entry}' is not a path in artifact {name}")
    if not (folder / path).is_file():
        raise CannotRun(f"artifact {name} has no file '{entry}', which {_ENTRY_POINT} names")
    return str(path)


def _command(shown: str, file: Path) -> tuple[str, ...]:
    """By the file's ending, as OCI has it: Python or a shell script."""
    if shown.endswith(".py"):
        return ("python", shown)
    if shown.endswith(".sh"):
        return ("bash", shown)
    if file.stat().st_mode & stat.S_IXUSR:
        return (shown,)
    raise CannotRun(
        f"the entry point {PurePosixPath(shown).name} is neither a .py nor a .sh file, and is not "
        "executable itself"
    )


def _unpack(file: Path, folder: Path, most: int | None) -> None:
    try:
        if file.name.endswith(".zip"):
            with zipfile.ZipFile(file) as archive:
                _check_size(file, sum(found.file_size for found in archive.infolist()), most)
                for member in archive.infolist():
                    _extract(archive, member, folder)
            return
        with tarfile.open(file) as tar:
            _check_size(file, sum(found.size for found in tar.getmembers()), most)
            tar.extractall(folder, filter="data")
    except BROKEN as fault:
        why = (fault.strerror if isinstance(fault, OSError) else None) or fault
        raise CannotRun(f"artifact {file.name} can't be unpacked: {why}") from None


def _check_size(file: Path, size: int, most: int | None) -> None:
    """:raises CannotRun: a small file may hold more than all of the host's disk."""
    if most is not None and size > most:
        raise CannotRun(
            f"artifact {file.name} holds {in_units(size)}, and the node may write {in_units(most)}"
        )


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """One member, with its mode; nothing lands outside of *folder*."""
    path = PurePosixPath(member.filename)
    mode = member.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(mode):
        raise CannotRun(
            f"artifact {Path(archive.filename or '').name} has '{member.filename}', which does not "
            "stay inside of it"
        )
    archive.extract(member, folder)
    if permissions := stat.S_IMODE(mode) & 0o777:
        (folder / path).chmod(permissions | stat.S_IRUSR | stat.S_IWUSR)
