"""Every ADS runtime that the bundle uses, unmodified, against a mock that really runs it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocimock.server.announcement import ServerFile
from tests.e2e.conftest import ROOT
from tests.ocimock.executing import Bench, bench_at, executing_server
from tests.ocimock.test_ads import sign_in
from tests.ocimock.workbench import NS, SHAPE

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

_ENVIRONMENT = ROOT / ".tools" / "rehearsal"
_EXECUTION = f"""
stop_seconds = 2
[environments]
"*" = "{_ENVIRONMENT}"
[images."fra.ocir.io/ocimock/known:*"]
environment = "{_ENVIRONMENT}"
"""
# Two ranks sum up their numbers over the network of their nodes.
_SUMS = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
mine = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(mine)
print(f"rank {dist.get_rank()} of {dist.get_world_size()} has {mine.item()}", flush=True)
os.makedirs("/home/datascience/out", exist_ok=True)
with open(f"/home/datascience/out/rank-{dist.get_rank()}.txt", "w") as file:
    file.write(str(mine.item()))
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def ads() -> Any:
    import ads.jobs

    return ads


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    if not (_ENVIRONMENT / "bin" / "python").exists():
        pytest.skip(f"{_ENVIRONMENT} is not installed: make setup-rehearsal")
    with executing_server(tmp_path_factory.mktemp("home"), text=_EXECUTION) as found:
        yield found


@pytest.fixture
def bench(ads: Any, server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        sign_in(ads, found.served)
        yield found


def _job(ads: Any, bench: Bench, runtime: Any) -> Any:
    work = bench.work
    infrastructure = (
        ads.jobs.DataScienceJob()
        .with_compartment_id(work.compartment)
        .with_project_id(work.project)
        .with_subnet_id(work.subnet)
        .with_log_group_id(work.group)
        .with_log_id(work.log)
        .with_shape_name(SHAPE)
        .with_block_storage_size(256)
    )
    return ads.jobs.Job(name="job", infrastructure=infrastructure, runtime=runtime).create()


def _lines(bench: Bench, run: Any) -> list[str]:
    """The code's lines of a run that succeeded."""
    found = bench.ended(run)
    assert found.lifecycle_state == "SUCCEEDED", (
        found.lifecycle_details,
        bench.work.lines(run.id)[-40:],
    )
    return bench.lines(run)


def _source(folder: Path, **files: str) -> Path:
    source = folder / "source"
    source.mkdir()
    for name, text in files.items():
        (source / f"{name}.py").write_text(text)
    return source


def test_script_runtime(ads: Any, bench: Bench, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os, sys; print('script', sys.argv[1:], os.environ['A'])")
    runtime = ads.jobs.ScriptRuntime().with_source(str(script)).with_argument("x", key="y")
    run = _job(ads, bench, runtime.with_environment_variable(A="1")).run()
    assert _lines(bench, run) == ["script ['x', '--key', 'y'] 1"]


def test_python_runtime_with_a_folder(ads: Any, bench: Bench, tmp_path: Path) -> None:
    source = _source(tmp_path, main="import other\nprint(other.WORD)", other="WORD = 'imported'")
    runtime = (
        ads.jobs.PythonRuntime()
        .with_service_conda("pytorch28_p312_gpu_x86_64_v1")
        .with_source(str(source), entrypoint="source/main.py")
        .with_python_path("source")
    )
    assert "imported" in _lines(bench, _job(ads, bench, runtime).run())


def test_git_runtime_by_a_file_url(ads: Any, bench: Bench) -> None:
    # Not below /tmp: a node has one of its own.
    with tempfile.TemporaryDirectory(dir=ROOT / ".tools", prefix="repository-") as folder:
        (Path(folder) / "main.py").write_text("print('from the repository')")
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "m"]):
            subprocess.run(["git", *words], cwd=folder, check=True)
        runtime = (
            # The driver waits a minute and a half before it notes in the run what it ran.
            ads.jobs.GitPythonRuntime(skip_metadata_update=True)
            .with_service_conda("pytorch28_p312_gpu_x86_64_v1")
            .with_source(f"file://{folder}")
            .with_entrypoint("main.py")
        )
        run = _job(ads, bench, runtime).run()
        assert "from the repository" in _lines(bench, run)


def test_container_runtime(ads: Any, bench: Bench) -> None:
    runtime = (
        ads.jobs.ContainerRuntime()
        .with_image("fra.ocir.io/ocimock/known:1")
        .with_entrypoint(["python", "-c"])
        .with_cmd("import torch; print(torch.ones(2).sum().item())")
    )
    assert _lines(bench, _job(ads, bench, runtime).run()) == ["2.0"]


def _distributed(ads: Any, source: Path, command: str) -> Any:
    return (
        ads.jobs.PyTorchDistributedRuntime()
        .with_service_conda("pytorch28_p312_gpu_x86_64_v1")
        .with_source(str(source))
        .with_command(command)
        .with_replica(2)
    )


def test_two_nodes_in_one_run(ads: Any, bench: Bench, tmp_path: Path) -> None:
    source = _source(tmp_path, train=_SUMS)
    runtime = _distributed(ads, source, "torchrun source/train.py")
    runtime.with_output("/home/datascience/out", f"oci://bucket@{NS}/results")
    runtime.with_dependency(pip_pkg="transformers==4.57.6")
    run = _job(ads, bench, runtime).run()
    lines = _lines(bench, run)
    assert [line for line in sorted(lines) if line.startswith("rank ")] == [
        "rank 0 of 2 has 3.0",
        "rank 1 of 2 has 3.0",
    ]
    found = bench.work.storage.list_objects(NS, "bucket", prefix="results/").data.objects
    assert [item.name for item in found] == ["results/rank-0.txt", "results/rank-1.txt"]


def test_two_nodes_in_two_runs(
    ads: Any, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form of older clients: the second node finds the first one's address in the log."""
    from ads.jobs.builders.infrastructure import dsc_job, dsc_job_runtime

    for module in (dsc_job, dsc_job_runtime):
        if hasattr(module, "MULTI_NODE_JOB_SUPPORT"):
            monkeypatch.setattr(module, "MULTI_NODE_JOB_SUPPORT", False)
    runs: list[Any] = []
    start = dsc_job.DSCJob.run

    def one_after_the_other(job: Any, **details: Any) -> Any:
        """ADS's driver looks into the log once a minute: let there be something to find."""
        runs.append(start(job, **details))
        _wait_for_address(bench, runs[0])
        return runs[-1]

    monkeypatch.setattr(dsc_job.DSCJob, "run", one_after_the_other)
    source = _source(tmp_path, train=_SUMS)
    _job(ads, bench, _distributed(ads, source, "torchrun source/train.py")).run()
    assert len(runs) == 2
    for rank, run in enumerate(runs):
        assert [line for line in _lines(bench, run) if line.startswith("rank ")] == [
            f"rank {rank} of 2 has 3.0"
        ]


def _wait_for_address(bench: Bench, run: Any) -> None:
    deadline = time.monotonic() + 120
    while not any("HOST IP: " in line for line in bench.lines(run)):
        assert time.monotonic() < deadline, bench.work.lines(run.id)
        assert bench.get(run).lifecycle_state in ("ACCEPTED", "IN_PROGRESS")
        time.sleep(0.2)
