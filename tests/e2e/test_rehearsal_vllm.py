"""``make rehearse SERVE=vllm``, and what goes wrong in it: nodes that die, scripts that fail.

One rehearsal serves all of these tests, in the order in which they are written: the last takes it
down.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import oci
import pytest

from tests.e2e.conftest import WorkingCopy
from tests.e2e.rehearsing import Rehearsal, answer_is_that_of_generate, model_folders, take_down

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]


@pytest.fixture(scope="module")
def rehearsal(torch_copy: WorkingCopy) -> Iterator[Rehearsal]:
    try:
        yield Rehearsal(torch_copy, "make rehearse SERVE=vllm")
    finally:
        # Where a test failed before the rehearsal was taken down.
        torch_copy.run(".venv/bin/python -m demo down --force")


def test_vllm_serves_the_same_answer(rehearsal: Rehearsal, tmp_path: Path) -> None:
    assert any(b"vllm.entrypoints" in command for command in _commands())
    answer_is_that_of_generate(rehearsal, model_folders(rehearsal, tmp_path))


def _commands() -> list[bytes]:
    """What runs on this machine, in nodes too."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found


def test_a_killed_node_fails_the_run_and_a_resubmit_resumes(rehearsal: Rehearsal) -> None:
    """The unbroken run is the rehearsal's own: same definition, same seed."""
    unbroken = _final_loss(rehearsal)
    # Its checkpoints would have it done before it begins.
    _clear(rehearsal, "checkpoints/")
    rehearsal.jobs("submit finetune")
    run = rehearsal.status()["finetune"]["ids"]["job_run"]
    _wait_for_checkpoint(rehearsal)
    rehearsal.cloud.kill_node(run, 1)
    watched = rehearsal.jobs("watch finetune --interval 1", check=False)
    assert watched.returncode == 1
    assert "FAILED" in watched.stdout
    assert "node 1" in watched.stdout
    assert [node for node in rehearsal.cloud.nodes if node.run == run] == []
    rehearsal.jobs("submit finetune")
    assert rehearsal.jobs("watch finetune --interval 1").returncode == 0
    log = rehearsal.jobs("logs finetune").stdout
    resumed = re.search(r'"event": ?"resumed".*?"step": ?(\d+)', log)
    assert resumed is not None
    assert int(resumed[1]) > 0
    assert _final_loss(rehearsal) == pytest.approx(unbroken, abs=1e-3)


def _final_loss(rehearsal: Rehearsal) -> float:
    points = json.loads(rehearsal.jobs("metrics finetune --json").stdout)
    return float([point["loss"] for point in points if point["metric"] == "train"][-1])


def _objects(rehearsal: Rehearsal, prefix: str) -> list[str]:
    storage = rehearsal.client(oci.object_storage.ObjectStorageClient)
    listed = storage.list_objects("ocimock", "rehearsal-models", prefix=prefix).data.objects
    return [each.name for each in listed]


def _clear(rehearsal: Rehearsal, prefix: str) -> None:
    storage = rehearsal.client(oci.object_storage.ObjectStorageClient)
    for name in _objects(rehearsal, prefix):
        storage.delete_object("ocimock", "rehearsal-models", name)


def _wait_for_checkpoint(rehearsal: Rehearsal) -> None:
    """Until the first checkpoint of the run that is under way is whole."""
    deadline = time.monotonic() + 120
    while not any(name.endswith("checkpoint.json") for name in _objects(rehearsal, "checkpoints/")):
        assert time.monotonic() < deadline, "no checkpoint came"
        state = rehearsal.status()["finetune"]["state"]
        assert state in ("ACCEPTED", "IN_PROGRESS"), state
        time.sleep(0.2)


FAILING = {
    "import error": ("python -c 'import no_such_module'", "ModuleNotFoundError"),
    "exit code": ("python -c 'print(17 * 3); raise SystemExit(3)'", "51"),
    "memory": ("python -c 'x = bytearray(9 * 2**30); print(len(x))'", "memory"),
}


@pytest.mark.parametrize("failure", FAILING)
def test_a_failing_script_says_why(rehearsal: Rehearsal, failure: str, tmp_path: Path) -> None:
    command, said = FAILING[failure]
    done = _submit_broken(rehearsal, command, tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert said in done.stdout


def _submit_broken(
    rehearsal: Rehearsal, command: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Submit the staging with another command, and watch it."""
    definitions = rehearsal.copy.path / "definitions" / "rehearsal"
    for path in definitions.glob("*.yaml"):
        text = path.read_text()
        if path.name == "stage.yaml":
            text = re.sub(r"command: .*", f"command: {json.dumps(command)}", text)
        (folder / path.name).write_text(text)
    rehearsal.jobs(f"submit stage --definitions '{folder}'")
    return rehearsal.jobs("watch stage --interval 0.5", check=False)


def test_a_hang_ends_at_its_maximum_runtime(rehearsal: Rehearsal, tmp_path: Path) -> None:
    # After all that looks at times: from here on the mock's clock is a day ahead.
    definitions = rehearsal.copy.path / "definitions" / "rehearsal"
    for path in definitions.glob("*.yaml"):
        text = path.read_text()
        if path.name == "stage.yaml":
            script = "import time; print(chr(42) * 7, flush=True); time.sleep(1000)"
            text = re.sub(r"command: .*", f"command: python -c '{script}'", text)
        (tmp_path / path.name).write_text(text)
    rehearsal.jobs(f"submit stage --definitions '{tmp_path}'")
    _wait_for_line(rehearsal, "*******")
    rehearsal.cloud.advance(24 * 3600)
    done = rehearsal.jobs("watch stage --interval 0.5", check=False)
    assert done.returncode == 1
    assert "maximum runtime" in done.stdout
    assert "*******" in done.stdout


def _wait_for_line(rehearsal: Rehearsal, line: str) -> None:
    deadline = time.monotonic() + 60
    while line not in rehearsal.jobs("logs stage").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_demo_down_leaves_nothing(rehearsal: Rehearsal) -> None:
    take_down(rehearsal.copy)
