"""What nodes leave behind goes, whatever rights it has."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ocimock.execute.executor import Address, Execution
from ocimock.execute.folders import remove
from ocimock.execute.plain import PlainMachine
from ocimock.execute.settings import ExecutionFileError, ExecutionSettings, read

_NOBODY = 65534


def _as_a_user(act: Callable[[], bool]) -> bool:
    """What *act* answers where root's rights do not count."""
    if os.geteuid():
        return act()
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A folder of such a user's; pytest's own can't be reached by others."""
    with tempfile.TemporaryDirectory(prefix="ocimock-test-") as name:
        if os.geteuid() == 0:
            os.chown(name, _NOBODY, _NOBODY)
        yield Path(name)


def test_what_nobody_may_read_or_change_goes_and_what_is_linked_stays(theirs: Path) -> None:
    left, kept = theirs / "left", theirs / "kept"

    def leave_and_remove() -> bool:
        (left / "work" / "below" / "deep").mkdir(parents=True)
        (left / "work" / "below" / "deep" / "file").touch()
        kept.mkdir(0o500)
        (left / "link").symlink_to(kept)
        for path in (left / "work/below/deep", left / "work/below", left / "work"):
            path.chmod(0o000)
        left.chmod(0o500)
        return remove(left)

    assert _as_a_user(leave_and_remove)
    assert not left.exists()
    assert kept.stat().st_mode & 0o777 == 0o500


def test_an_earlier_mocks_folder_that_stays_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nodes" / "left").mkdir(parents=True)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(OSError, match=r"nodes is of an earlier mock, .* --home"):
        Execution(
            ExecutionSettings(tmp_path / "execution.toml"),
            PlainMachine(),
            folder=tmp_path / "nodes",
            address=Address("127.0.0.1", 1),
            ca_file=tmp_path / "ca.pem",
        )


@pytest.mark.parametrize("name", ["", "pytorch28_*"])
def test_a_key_is_told_as_the_file_has_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "execution.toml"
    text = f'environments."{name}" = "nowhere"\n'
    assert tomllib.loads(text)
    file.write_text(text)
    with pytest.raises(ExecutionFileError) as told:
        read(file)
    assert f'environments."{name}": there is no folder' in str(told.value)
