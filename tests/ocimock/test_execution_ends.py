"""How runs that really run end before their time: canceled, too long, too large, forgotten."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import oci
import pytest

from ocimock import ServedCloud
from ocimock.server.announcement import ServerFile
from ocimock.server.running import started_server
from tests.ocimock.executing import EXECUTION, RAN, Bench, Process, bench_at, executing_server
from tests.ocimock.support import client, refused
from tests.servers import running_server

_WAITS = "import time\nprint('waits')\ntime.sleep(600)"
_HEEDS = """
import signal, sys, time
def leave(*_):
    print("told to end")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("waits")
time.sleep(600)
"""
_HEEDS_NOTHING = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("waits")
while True:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    text = EXECUTION.replace("stop_seconds = 5", "stop_seconds = 1")
    with executing_server(tmp_path_factory.mktemp("home"), text=text) as found:
        yield found


@pytest.fixture
def bench(server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        yield found


def test_a_canceled_run_is_told_to_end_and_its_last_words_are_heard(bench: Bench) -> None:
    run = bench.work.run(bench.job(_HEEDS))
    bench.until_line(run, "waits")
    process = Process(bench.served.nodes[0].pid)
    bench.work.science.cancel_job_run(run.id)
    run = bench.ended(run)
    assert run.lifecycle_state == "CANCELED"
    assert run.lifecycle_details == f"Job run canceled ({RAN})."
    assert bench.lines(run) == ["waits", "told to end"]
    assert process.is_gone()


def test_a_canceled_run_that_does_not_listen_is_killed(bench: Bench) -> None:
    run = bench.work.run(bench.job(_HEEDS_NOTHING))
    bench.until_line(run, "waits")
    bench.work.science.cancel_job_run(run.id)
    assert bench.get(run).lifecycle_state == "CANCELING"
    assert bench.ended(run).lifecycle_state == "CANCELED"


def test_a_run_that_ends_can_not_be_canceled(bench: Bench) -> None:
    run = bench.run(bench.job("pass"))
    with refused(409, "IncorrectState"):
        bench.work.science.cancel_job_run(run.id)


def test_a_run_that_takes_too_long_fails_and_names_the_limit(bench: Bench) -> None:
    run = bench.work.run(bench.job(_WAITS, maximum_runtime_in_minutes=2))
    bench.until_line(run, "waits")
    bench.served.advance(110)
    assert bench.get(run).lifecycle_state == "IN_PROGRESS"
    bench.served.advance(20)
    run = bench.ended(run)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details == (
        "Job run artifact execution failed: it exceeded the maximum runtime of 2 minute(s) "
        f"({RAN})."
    )


def test_a_run_that_uses_too_much_memory_fails_and_names_the_limit(bench: Bench) -> None:
    run = bench.run(bench.job("print('takes'); x = bytearray(3 * 2**30); print('has')"))
    assert run.lifecycle_state == "FAILED"
    assert "exit code 137: node 0 used more memory than its 1 GB" in run.lifecycle_details
    assert bench.lines(run) == ["takes"]


def test_a_run_that_writes_too_much_fails_and_names_the_limit(bench: Bench) -> None:
    script = "import time\nwith open('big', 'wb') as f:\n"
    script += "    for _ in range(1200): f.write(b'x' * 2**20)\n"
    run = bench.run(bench.job(script + "time.sleep(60)"))
    assert run.lifecycle_state == "FAILED"
    assert "node 0 wrote more than its 1 GB of block storage" in run.lifecycle_details


def test_the_host_of_a_run_fails(bench: Bench) -> None:
    run = bench.work.run(bench.job(_HEEDS))
    bench.until_line(run, "waits")
    bench.served.kill_node(run.id, 0)
    run = bench.ended(run)
    assert run.lifecycle_state == "FAILED"
    assert "exit code 137: node 0 was killed" in run.lifecycle_details
    assert bench.lines(run) == ["waits"]


@pytest.mark.parametrize("node", [1, -1])
def test_only_a_node_that_there_is_can_fail(bench: Bench, node: int) -> None:
    run = bench.work.run(bench.job(_WAITS))
    bench.until_line(run, "waits")
    with pytest.raises(ValueError, match=f"has no node {node} that runs now"):
        bench.served.kill_node(run.id, node)
    with pytest.raises(ValueError, match="has no node 0"):
        bench.served.kill_node("ocid1.datasciencejobrun.oc1.fra.none", 0)


def test_where_a_node_is_can_be_asked(bench: Bench) -> None:
    run = bench.work.run(bench.job(_WAITS))
    bench.until_line(run, "waits")
    (node,) = bench.served.nodes
    assert (node.run, node.node, node.state) == (run.id, 0, "running")
    assert not Process(node.pid).is_gone()
    if node.isolation == "namespaces":
        assert node.network == bench.work.subnet
        assert node.address.startswith("10.0.0.")


def test_a_reset_kills_what_runs_and_hears_no_more_of_it(bench: Bench) -> None:
    run = bench.work.run(bench.job(_WAITS))
    bench.until_line(run, "waits")
    process = Process(bench.served.nodes[0].pid)
    bench.served.reset()
    process.wait_until_gone()
    assert bench.served.standing().get("datasciencejobrun") is None


def test_fail_runs_is_heeded(tmp_path: Path) -> None:
    with (
        executing_server(tmp_path, "--fail-runs", "DOOMED") as server,
        bench_at(server) as bench,
    ):
        run = bench.run(bench.job("print('ran')", display_name="a doomed job"))
        assert run.lifecycle_state == "FAILED"
        assert "the mock's settings ask for it (fail_runs)" in run.lifecycle_details
        assert bench.lines(run) == []
        assert bench.run(bench.job("print('ran')")).lifecycle_state == "SUCCEEDED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_a_run_does_not_outlive_the_mock_and_the_next_one_says_so(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Whether the mock can still write it down itself, or the next one finds it in the middle."""
    file = tmp_path / "execution.toml"
    file.write_text(EXECUTION)
    options = ("--execute", str(file), "--state", str(tmp_path / "state"))
    process, server = started_server(tmp_path / "home", *options)
    try:
        # What is patched last must be put back first: else the bench's variables stay for ever.
        with bench_at(server) as bench, pytest.MonkeyPatch.context() as patch:
            done = bench.run(bench.job("print('done')"))
            run = bench.work.run(bench.job(_HEEDS_NOTHING))
            bench.until_line(run, "waits")
            node = Process(bench.served.nodes[0].pid)
            process.send_signal(number)
            process.wait(30)
            node.wait_until_gone()
            process, server = started_server(tmp_path / "home", *options)
            again = _moved(bench, server, patch)
            found = again.get(run)
            assert found.lifecycle_state == "FAILED"
            assert found.lifecycle_details == (
                f"Job run artifact execution failed: ocimock ended while it ran ({RAN})."
            )
            assert again.lines(run)[0] == "waits"
            assert again.get(done).lifecycle_state == "SUCCEEDED"
            assert again.run(again.job("print('goes on')")).lifecycle_state == "SUCCEEDED"
    finally:
        process.terminate()
        process.wait(30)


def _moved(bench: Bench, server: ServerFile, patch: pytest.MonkeyPatch) -> Bench:
    """The same tenancy, behind the port of another server."""
    for name, text in server.environment.items():
        patch.setenv(name, text)
    served = ServedCloud(server)
    science = client(served, oci.data_science.DataScienceClient)
    return Bench(served, replace(bench.work, mocked=served, science=science))


def test_without_the_option_nothing_runs_and_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", "--pace", "0") as server, bench_at(server) as bench:
        run = bench.run(bench.job("print('ran')"))
        assert run.lifecycle_state == "SUCCEEDED"
        assert "simulated by ocimock: no code ran" in run.lifecycle_details
        assert bench.served.executes is None
        assert bench.served.nodes == []
