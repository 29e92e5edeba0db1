"""The execution file: what may be in it, and what is said of what may not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ocimock.execute.settings import ExecutionFileError, ExecutionSettings, read
from ocimock.execute.specs import Limits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an environment ``env`` and one of an image's files, ``image``."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "image").mkdir()
    return tmp_path


def _read(folder: Path, text: str) -> ExecutionSettings:
    file = folder / "execution.toml"
    file.write_text(text)
    return read(file)


def test_all_that_a_file_can_say(folder: Path) -> None:
    found = _read(
        folder,
        """
        isolation = "none"
        keep = "failed"
        stop_seconds = 2
        [environments]
        "pytorch28*" = "env"
        [images."dsmc://odsc-vllm-serving:*"]
        environment = "env"
        folder = "image"
        command = ["python", "-m", "serve"]
        [images."dsmc://odsc-vllm-serving:*".variables]
        PARAMS = "--dtype float32"
        [hosts]
        "huggingface.co" = "127.0.0.1:43121"
        [limits]
        cpus = 2
        memory = "512 MB"
        disk = "1.5GB"
        """,
    )
    assert (found.isolation, found.keep, found.stop_seconds) == ("none", "failed", 2.0)
    assert found.hosts == {"huggingface.co": ("127.0.0.1", 43121)}
    assert found.limits == Limits(cpus=2, memory=512 * 2**20, disk=3 * 2**29)
    assert found.environment("pytorch28_p312_gpu_x86_64_v1") == folder / "env"
    assert found.environment("tensorflow") is None
    image = found.image("dsmc://odsc-vllm-serving:0.6")
    assert image is not None
    assert (image.folder, image.command) == (folder / "image", ("python", "-m", "serve"))
    assert image.variables == {"PARAMS": "--dtype float32"}
    assert found.image("fra.ocir.io/ns/mine:1") is None


def test_an_empty_file_is_one(folder: Path) -> None:
    found = _read(folder, "")
    assert (found.isolation, found.limits, found.images) == ("auto", Limits(), ())


def test_the_first_pattern_that_matches_counts(folder: Path) -> None:
    (folder / "other" / "bin").mkdir(parents=True)
    (folder / "other" / "bin" / "python").symlink_to(sys.executable)
    found = _read(folder, '[environments]\n"special" = "other"\n"*" = "env"')
    assert found.environment("special") == folder / "other"
    assert found.environment("general") == folder / "env"


def test_an_environment_is_not_followed_to_where_it_links(folder: Path) -> None:
    """A virtualenv's python knows its packages by the path under which it is called."""
    (folder / "link").symlink_to(folder / "env")
    assert _read(folder, '[environments]\n"*" = "link"').environment("x") == folder / "link"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("isolation = 'some'", "isolation", "'some' is not one of auto, namespaces, none"),
        ("isolated = 'auto'", "isolated", "no such key; there are"),
        ("[environments]\n'*' = 'nowhere'", 'environments."*"', "there is no folder"),
        ("[environments]\n'*' = 'image'", 'environments."*"', "has no bin/python"),
        ("[environments]\n'*' = 3", 'environments."*"', "must be the path of a folder"),
        ("environments = 3", "environments", "must be a table"),
        ("[images.a]\ncommand = 'python'", "images.a.command", "must be a list of words"),
        ("[images.a]\ncmd = ['x']", "images.a.cmd", "there are environment, folder, command"),
        ("[images.a.variables]\n'A-B' = ''", "images.a.variables.A-B", "is no name of"),
        ("[images.a.variables]\nA = 1", "images.a.variables.A", "must be a string"),
        ("[hosts]\n'a.com' = '10.0.0.1:80'", 'hosts."a.com"', "must be a port of this machine"),
        ("[hosts]\n'a.com' = '127.0.0.1:99999'", 'hosts."a.com"', "must be a port of this machine"),
        ("[hosts]\n'a b' = '127.0.0.1:80'", 'hosts."a b"', "is no name of a host"),
        ("[limits]\ncpus = 0", "limits.cpus", "0 is not a whole number of 1 or more"),
        ("[limits]\ncpus = true", "limits.cpus", "True is not a whole number"),
        ("[limits]\nmemory = 4", "limits.memory", '4 is no size; write "512 MB"'),
        ("[limits]\nmemory = '0 GB'", "limits.memory", "is no size"),
        ("[limits]\nram = '4 GB'", "limits.ram", "there are cpus, memory, disk"),
        ("stop_seconds = -1", "stop_seconds", "is not a number of seconds"),
        ("keep = 'some'", "keep", "is not one of never, failed, always"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(
    folder: Path, text: str, key: str, says: str
) -> None:
    with pytest.raises(ExecutionFileError) as raised:
        _read(folder, text)
    assert str(raised.value).startswith(f"{folder / 'execution.toml'}: {key}: ")
    assert says in str(raised.value)


def test_a_file_that_is_no_toml(folder: Path) -> None:
    with pytest.raises(ExecutionFileError, match=r"execution\.toml is no TOML"):
        _read(folder, "isolation = ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExecutionFileError, match="can't be read: No such file"):
        read(tmp_path / "none.toml")
