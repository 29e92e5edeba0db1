"""The command line: a user's mistakes, each answered with what to do."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import oci
import pytest
import requests
from typer.testing import CliRunner

from ocimock import ServedCloud
from ocimock.cli import app
from ocimock.server.announcement import FILE, ServerFile

_A10 = "ds-gpu-a10-count"

pytestmark = pytest.mark.process_only("the command line itself")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _said(*words: str, code: int) -> str:
    """What the command says on its one long line, without the frame around an option's error."""
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return re.sub(r"[\s│]+", " ", done.output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--region", "mars"], "--region: the OCI SDK knows no region 'mars'; one such"),
        (["--region", "eu-frankfurt"], "did you mean eu-frankfurt-1"),
        (["--run-seconds", "inf"], "--run-seconds: inf has no end"),
        (
            ["--run-time", "train"],
            "--run-time: run_times: 'train' is not as in 'fine-tuning: 9000'",
        ),
        (["--run-time", "train: -1"], "--run-time: run_times: 'train: -1' is not as in"),
        (["--pace", "inf"], "--pace: inf has no end"),
        (["--fault", "429 on some of it"], "--fault: match: 'some of it' is neither a verb"),
        (["--fault", "429 on every 0th get_namespace"], "every and first count from 1"),
        (["--fault", "429 on the first 0 get_namespace"], "every and first count from 1"),
    ],
)
def test_a_wrong_option_is_named(words: list[str], said: str, tmp_path: Path) -> None:
    printed = _said("serve", "--home", str(tmp_path), *words, code=2)
    assert said in printed
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port(taken: int, tmp_path: Path) -> None:
    printed = _said("serve", "--home", str(tmp_path), "--port", str(taken), code=1)
    assert f"port {taken} can't be had (Address already in use)" in printed
    assert "--port 0" in printed


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.touch()
    printed = _said("serve", "--home", str(home), code=1)
    assert f"{home} can't be the server's home (File exists)" in printed
    assert "a folder that you can write to" in printed


def test_a_home_has_one_server(server: ServerFile) -> None:
    """A second one would take its certificate from under the clients of the first."""
    home = Path(server.environment["OCI_CONFIG_FILE"]).parent
    printed = _said("serve", "--home", str(home), code=1)
    assert f"a server (pid {server.pid}) has its home in {home}, at {server.url}" in printed
    assert ServerFile.read(home) == server


def test_a_running_server_is_found_by_its_home(server: ServerFile, tmp_path: Path) -> None:
    cloud = ServedCloud.at(Path(server.environment["OCI_CONFIG_FILE"]).parent)
    cloud.reset()
    limits = oci.limits.LimitsClient(cloud.config, service_endpoint=cloud.url)

    def value() -> int:
        listed = limits.list_limit_values(cloud.tenancy_id, "data-science", name=_A10).data
        return int(listed[0].value)

    fresh = value()
    cloud.limits.set(_A10, fresh + 1)
    assert value() == fresh + 1
    cloud.limits.clear()
    assert value() == fresh
    with pytest.raises(ValueError, match="knows no limit 'nope'"):
        cloud.limits.set("nope", 1)
    with pytest.raises(ValueError, match="no server has its home"):
        ServedCloud.at(tmp_path)


def test_a_servers_hosts_run_out_from_a_test(server: ServerFile) -> None:
    cloud = ServedCloud(server)
    page = f"{server.url}/ocimock/capacity"
    cloud.capacity.exhaust("VM.GPU.A10.2", hosts=3, seconds=60)
    (rule,) = requests.get(page, timeout=5).json()
    assert (rule["shape"], rule["hosts"], rule["left"]) == ("VM.GPU.A10.2", 3, 3)
    assert rule["until"] is not None
    cloud.capacity.restore()
    assert requests.get(page, timeout=5).json() == []
    with pytest.raises(ValueError, match=r"VM\.GPU\.A10\.3"):
        cloud.capacity.exhaust("VM.GPU.A10.3")


def test_what_a_killed_server_left_behind_is_no_server(taken: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = listener.getsockname()[1]
    text = '{"pid": %d, "url": "http://127.0.0.1:%d", "environment": {"OCIMOCK_URL": "gone"}}'
    (tmp_path / FILE).write_text(text % (os.getpid(), gone))
    printed = _said("env", "--home", str(tmp_path), code=1)
    assert f"python -m ocimock serve --home {tmp_path}" in printed
    assert "export" not in printed
    # It does not stand in the way of the next one, which only fails for its port.
    assert "port" in _said("serve", "--home", str(tmp_path), "--port", str(taken), code=1)
