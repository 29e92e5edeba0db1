"""Job runs that really run: the artifact, its environment, its exit code, its lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocimock.server.announcement import ServerFile
from tests.ocimock.executing import RAN, Bench, bench_at, executing_server, zipped
from tests.ocimock.workbench import M

_SECRET = "planted-in-the-environment-of-the-server"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANTED", _SECRET)
        with executing_server(tmp_path_factory.mktemp("a home")) as found:
            yield found


@pytest.fixture
def bench(server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        yield found


def test_a_script_runs_and_its_lines_are_in_the_log_in_order(bench: Bench) -> None:
    run = bench.run(bench.job("for number in range(300): print('line', number)"))
    assert run.lifecycle_state == "SUCCEEDED"
    assert run.lifecycle_details == f"Job run artifact execution succeeded ({RAN})."
    assert bench.lines(run) == [f"line {number}" for number in range(300)]
    assert bench.own_lines(run)[-1] == f"[node 0] [{RAN}] ended with exit code 0"
    assert run.time_started < run.time_finished


def test_its_exit_code_is_the_reason_why_it_fails(bench: Bench) -> None:
    run = bench.run(bench.job("print('before'); raise SystemExit(7)"))
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details == (
        "Job run artifact execution failed with exit code 7: node 0 ended with exit code 7 "
        f"({RAN})."
    )
    assert bench.lines(run) == ["before"]


def test_an_import_error_is_in_the_log(bench: Bench) -> None:
    run = bench.run(bench.job("import nowhere_to_be_found"))
    assert run.lifecycle_state == "FAILED"
    assert "exit code 1" in run.lifecycle_details
    assert bench.lines(run)[-1] == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"


def test_a_script_that_a_signal_ends(bench: Bench) -> None:
    run = bench.run(bench.job("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert run.lifecycle_state == "FAILED"
    assert "exit code 139" in run.lifecycle_details


def test_a_shell_script(bench: Bench) -> None:
    run = bench.run(bench.job('echo "$0 says $1"; pwd; exit 2', "job.sh"))
    assert "exit code 2" in run.lifecycle_details
    assert bench.lines(run)[0].endswith("/job.sh says ")


def test_arguments_and_variables_of_the_run_stand_over_those_of_its_job(bench: Bench) -> None:
    script = (
        "import os, sys, json; print(json.dumps([sys.argv[1:], os.environ['A'], os.environ['B']]))"
    )
    job = bench.job(script, variables={"A": "job", "B": "job"}, command_line_arguments="of job")
    assert json.loads(bench.lines(bench.run(job))[0]) == [["of", "job"], "job", "job"]
    override = M.DefaultJobConfigurationDetails(
        environment_variables={"B": "run"}, command_line_arguments="--of 'the run'"
    )
    run = bench.run(job, job_configuration_override_details=override)
    assert json.loads(bench.lines(run)[0]) == [["--of", "the run"], "job", "run"]


def test_ocis_own_variables(bench: Bench) -> None:
    script = "import os, sys, json; print(json.dumps({**os.environ, 'PREFIX': sys.prefix}))"
    job = bench.job(script, variables={"JOB_RUN_OCID": "another", "CONDA_ENV_SLUG": "tests"})
    run = bench.run(job)
    found = json.loads(bench.lines(run)[0])
    assert found["JOB_RUN_OCID"] == run.id
    assert found["JOB_OCID"] == job.id
    assert found["PROJECT_OCID"] == bench.work.project
    assert found["TENANCY_OCID"] == bench.served.tenancy_id
    assert found["JOB_ARTIFACT_FILE_NAME"] == "script.py"
    assert found["PATH"].startswith(f"{found['CONDA_PREFIX']}/bin:")
    assert found["PREFIX"] == found["CONDA_PREFIX"]
    assert int(found["OMP_NUM_THREADS"]) <= (os.cpu_count() or 1)


def test_nothing_of_the_hosts_environment_is_there(bench: Bench) -> None:
    script = """
import os, pathlib
print("me", os.environ.get("PLANTED"))
for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
    try:
        print(path, b"planted-in" in path.read_bytes())
    except OSError:
        pass
"""
    run = bench.run(bench.job(script))
    lines = bench.lines(run)
    assert lines[0] == "me None"
    if (bench.served.executes or {})["isolation"] == "none":
        pytest.skip(
            "nodes are not kept apart on this machine: processes of one user see each other"
        )
    assert len(lines) > 1
    assert not [line for line in lines if line.endswith("True")]


def test_a_zip_is_unpacked_with_its_modes_and_its_entry_point_runs(bench: Bench) -> None:
    files = {
        "pack/main.py": "import subprocess, pathlib; here = pathlib.Path(__file__).parent\n"
        "print(here.parent.name, flush=True); subprocess.run([here / 'tool'], check=True)",
        "pack/tool": "#!/bin/sh\necho from the tool",
    }
    job = bench.job(
        zipped(files, {"pack/tool": 0o755}), "code.zip", {"JOB_RUN_ENTRYPOINT": "pack/main.py"}
    )
    assert bench.lines(bench.run(job)) == ["decompressed_artifact", "from the tool"]


@pytest.mark.parametrize(
    ("artifact", "name", "variables", "reason"),
    [
        (
            b"none",
            "code.zip",
            {"JOB_RUN_ENTRYPOINT": "a.py"},
            "artifact code.zip can't be unpacked",
        ),
        (zipped({"a.py": ""}), "code.zip", {}, "JOB_RUN_ENTRYPOINT does not name the file"),
        (zipped({"a.py": ""}), "c.zip", {"JOB_RUN_ENTRYPOINT": "b.py"}, "c.zip has no file 'b.py'"),
        (zipped({"a.py": ""}), "c.zip", {"JOB_RUN_ENTRYPOINT": "../a.py"}, "is not a path in"),
        (zipped({"../a.py": ""}), "c.zip", {"JOB_RUN_ENTRYPOINT": "a.py"}, "does not stay inside"),
        (b"text", "notes.txt", {}, "notes.txt is neither a .py nor a .sh file"),
        (b"", "s.py", {"CONDA_ENV_SLUG": "torch"}, "stands for conda environment 'torch'"),
        (
            b"",
            "s.py",
            {"CONDA_ENV_TYPE": "published", "CONDA_ENV_OBJECT_NAME": "conda/gpu/1.0/mine"},
            "stands for conda environment 'mine'",
        ),
        (b"", "s.py", {"CONTAINER_CUSTOM_IMAGE": "x/y:1"}, "nothing stands for image 'x/y:1'"),
    ],
)
def test_why_a_run_does_not_come_up(
    bench: Bench, artifact: bytes, name: str, variables: dict[str, str], reason: str
) -> None:
    run = bench.run(bench.job(artifact or b"pass", name, variables))
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Job run bootstrap failure: ")
    assert reason in run.lifecycle_details
    assert reason in bench.own_lines(run)[-1]


def test_what_to_add_for_an_environment_is_said(bench: Bench) -> None:
    run = bench.run(bench.job("pass", variables={"CONDA_ENV_SLUG": "torch"}))
    assert 'execution.toml: [environments], "torch" = ' in run.lifecycle_details


def test_a_container_runs_what_stands_for_its_image(bench: Bench) -> None:
    environment = M.OcirContainerJobEnvironmentConfigurationDetails(
        image="fra.ocir.io/ocimock/known:1",
        entrypoint=["python", "-c"],
        cmd=["import os, sys; print(os.environ['OF_THE_IMAGE'], os.environ['OF_BOTH'], sys.argv)"],
    )
    details = bench.work.job_details(
        job_environment_configuration_details=environment,
        job_configuration_details=M.DefaultJobConfigurationDetails(
            environment_variables={"OF_BOTH": "job"}, command_line_arguments="more"
        ),
    )
    run = bench.run(bench.work.science.create_job(details).data)
    assert bench.lines(run) == ["yes job ['-c', 'more']"]


def test_pip_takes_what_is_there_and_names_what_is_not(bench: Bench) -> None:
    install = (
        "import subprocess, sys\n"
        "sys.exit(subprocess.call([sys.executable, '-m', 'pip', 'install', {!r}]))"
    )
    assert bench.run(bench.job(install.format("oci>2"))).lifecycle_state == "SUCCEEDED"
    run = bench.run(bench.job(install.format("nowhere-to-be-found==1")))
    assert run.lifecycle_state == "FAILED"
    assert (
        "after pip found no 'nowhere-to-be-found==1'; install it in the environment"
        in run.lifecycle_details
    )


def test_git_clones_what_a_folder_has_without_the_hosts_configuration(bench: Bench) -> None:
    script = """
set -e
git config --list --show-origin
git init -q repo && cd repo && echo content > file && git add file
git -c user.name=n -c user.email=e commit -qm m
git clone -q "file://$PWD" ../copy
cat ../copy/file
"""
    lines = bench.lines(bench.run(bench.job(script, "clone.sh")))
    assert lines[-1] == "content"
    assert [line for line in lines[:-1] if "/.gitconfig" not in line] == []


def test_nothing_is_left_of_a_run(bench: Bench, server: ServerFile) -> None:
    run = bench.run(bench.job("open('big', 'w').write('x' * 100)"))
    assert run.lifecycle_state == "SUCCEEDED"
    home = Path(server.environment["REQUESTS_CA_BUNDLE"]).parent
    assert not list((home / "nodes").iterdir())
    assert bench.served.nodes == []


def test_a_run_that_is_simulated_elsewhere_says_here_that_it_ran(bench: Bench) -> None:
    run = bench.work.run(bench.job("pass"))
    assert run.lifecycle_details == f"Infrastructure provisioning ({RAN})."
    bench.ended(run)


def test_the_server_says_whether_it_executes(bench: Bench) -> None:
    assert bench.served.executes is not None
    assert bench.served.executes["isolation"] in ("namespaces", "none")
