"""A node is lost in the middle of a job that really runs: ``jobs run`` submits it again by itself,
and it goes on from what it had saved."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocimock import ServedCloud
from tests.e2e.conftest import ROOT
from tests.jobs import workbench
from tests.ocimock.executing import executing_server

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

_ENVIRONMENT = ROOT / ".tools" / "rehearsal"
_EXECUTION = f'stop_seconds = 2\n[environments]\n"*" = "{_ENVIRONMENT}"\n'
# The first time it saves something and works on; the next time it finds that, and ends.
_COMMAND = (
    "sh -c 'cd /mnt/outputs; if [ -e saved ]; then echo it goes on from $(cat saved); "
    "else echo step 7 > saved; echo it has saved $(cat saved); sleep 600; fi'"
)
_LIMIT = 120  # seconds after which the test counts as hanging


def test_a_lost_node_costs_one_more_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (_ENVIRONMENT / "bin" / "python").exists():
        pytest.skip(f"{_ENVIRONMENT} is not installed: make setup-rehearsal")
    home = tmp_path / "machine"
    with executing_server(tmp_path, text=_EXECUTION) as found:
        cloud = ServedCloud(found)
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        _write(home, workbench.build(cloud))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
        environment.pop("TUNESTACK_TENANCY", None)
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "jobs", "run", "--interval", "0.2"],
            cwd=home, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said = _until(process, "it has saved step 7")
            runs = _runs(cloud)
            cloud.kill_node(runs[0], 0)
            said += _until(process, "it goes on from step 7")
        finally:
            process.kill()
            process.wait(_LIMIT)
        assert "node 0 was killed" in said
        assert "stage: submitting again now (retry 1 of 2)" in said
        assert len(_runs(cloud)) == 2


def _write(home: Path, bench: workbench.Workbench) -> None:
    (home / "tenancies").mkdir(parents=True)
    (home / "tenancies" / "demo.yaml").write_text("")
    folder = home / "definitions" / "demo"
    bench.write(folder)
    stage = folder / "stage.yaml"
    text = stage.read_text()
    start, end = text.index("      command: >-"), text.index("      replicas: 1")
    text = (
        text[:start]
        + f"      command: >-\n        {_COMMAND}\n      workingDir: /home/datascience\n"
        + text[end:]
    )
    text = text.replace(
        "        dest: code\n",
        "        dest: code\n      - src: oci://demo-bucket@ocimock/outputs/\n"
        "        dest: outputs\n",
    )
    start, end = text.index("      dependencies:"), text.index("      env:")
    stage.write_text(text[:start] + text[end:])


def _until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"'{words}' was not said:\n{said}")


def _runs(cloud: ServedCloud) -> list[str]:
    found = workbench.science(cloud).list_job_runs(cloud.compartment_id).data
    return [each.id for each in found]
