"""What the rehearsal prepares, and how it finds again what stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from demo import hub_process, hub_token, rehearsal
from demo.errors import OtherSettingsError
from demo.hub_process import HubProcess
from demo.rehearsal import Server

SERVING = "dsmc://odsc-vllm-serving:*"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rehearsal's folder, whose name is awkward, with a model in it."""
    folder = tmp_path / 'a "quoted" \\ folder 🦙'
    (folder / "hub").mkdir(parents=True)
    (folder / "hub" / ".made").touch()
    monkeypatch.setattr(rehearsal, "FOLDER", folder)
    monkeypatch.setattr(rehearsal, "ROOT", folder)
    monkeypatch.setattr(rehearsal, "_HUB_FOLDER", folder / "hub")
    monkeypatch.setattr(rehearsal, "_EXECUTION_FILE", folder / "execution.toml")
    monkeypatch.setattr(hub_token, "_FILE", folder / "hub-token")
    monkeypatch.setattr(rehearsal, "_need_environments", lambda server: None)
    monkeypatch.setattr(hub_process, "FOLDER", folder)
    return folder


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A hub that is found running on port 4321, unless a test says otherwise."""
    found = Mock(return_value=HubProcess(1, 4321))
    monkeypatch.setattr(hub_process, "running", found)
    return found


@pytest.fixture
def started(folder: Path) -> Iterator[HubProcess]:
    found = hub_process.start(folder / "hub", "hf_token")
    yield found
    hub_process.stop()


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "execution.toml").read_text())


@pytest.mark.usefixtures("hub")
def test_the_execution_file_holds_any_folders_name(folder: Path) -> None:
    rehearsal.prepare(None, stands=False)
    image = _read(folder)["images"][SERVING]
    assert image["folder"] == str(folder / "jobs")
    assert image["variables"]["SERVE_BACKEND"] == "transformers"


@pytest.mark.usefixtures("hub")
def test_what_stands_keeps_its_server(folder: Path) -> None:
    """The embedded OCI reads its execution file once: another server would only be pretended."""
    rehearsal.prepare(Server.VLLM, stands=False)
    with pytest.raises(OtherSettingsError, match="serves with vllm, not with transformers"):
        rehearsal.prepare(Server.TRANSFORMERS, stands=True)
    rehearsal.prepare(None, stands=True)  # make demo goes on with it
    assert _read(folder)["images"][SERVING]["variables"]["SERVE_BACKEND"] == "vllm"
    rehearsal.prepare(None, stands=False)
    assert _read(folder)["images"][SERVING]["variables"]["SERVE_BACKEND"] == "transformers"


def test_what_stands_does_not_find_a_hub_on_another_port(folder: Path, hub: Mock) -> None:
    rehearsal.prepare(None, stands=False)
    hub.return_value = HubProcess(1, 4322)
    with pytest.raises(OtherSettingsError, match=r"started with another .*execution\.toml"):
        rehearsal.prepare(None, stands=True)
    assert "4321" in (folder / "execution.toml").read_text()


def test_a_hub_that_was_killed_comes_back_on_its_port(folder: Path, started: HubProcess) -> None:
    assert hub_process.running() == started
    os.kill(started.pid, signal.SIGKILL)
    os.waitpid(started.pid, 0)
    assert hub_process.running() is None
    again = hub_process.start(folder / "hub", "hf_token")
    assert (again.port, again.pid != started.pid) == (started.port, True)


def test_another_process_with_the_hubs_id_is_left_alone(folder: Path, started: HubProcess) -> None:
    """After a restart of the machine the id in the file is anybody's."""
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    file = folder / "hub.json"
    noted = file.read_text()
    file.write_text(json.dumps({"pid": bystander.pid, "port": started.port}))
    try:
        assert hub_process.running() is None
        hub_process.stop()
        assert not file.exists()
    finally:
        bystander.communicate()
        file.write_text(noted)  # for the fixture, which ends the hub
    assert bystander.returncode == 0
