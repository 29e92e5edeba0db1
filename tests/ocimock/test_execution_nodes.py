"""Runs of several nodes, that really run."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ocimock.server.announcement import ServerFile
from tests.ocimock.executing import RAN, Bench, bench_at, executing_server

_TALKS = """
import json, os, socket, time
rank, size = int(os.environ["NODE_RANK"]), int(os.environ["INITIAL_CLUSTER_SIZE"])
with open(os.environ["CLUSTER_NODES_METADATA_FILE"]) as file:
    nodes = {node["Rank"]: node["IPAddress"] for node in json.load(file)}
if rank == 0:
    server = socket.create_server((nodes["0"], 29500))
    for _ in range(size - 1):
        print("heard", server.accept()[0].recv(100).decode())
else:
    for _ in range(200):
        try:
            with socket.create_connection((nodes["0"], 29500), 5) as other:
                other.sendall(str(rank).encode())
            break
        except OSError:
            time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with executing_server(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def bench(server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        yield found


def test_nodes_reach_each_other_where_the_cluster_file_says(bench: Bench) -> None:
    run = bench.run(bench.nodes_job(_TALKS, 3))
    assert run.lifecycle_state == "SUCCEEDED", bench.work.lines(run.id)
    assert sorted(bench.lines(run)) == ["heard 1", "heard 2"]
    assert [group.lifecycle_state for group in run.node_group_details_list] == ["DELETED"]
    done = [line for line in bench.own_lines(run) if "ended with exit code 0" in line]
    assert sorted(line[:8] for line in done) == ["[node 0 ", "[node 1 ", "[node 2 "]


def test_one_node_fails_and_the_others_are_stopped(bench: Bench) -> None:
    script = "import os, sys, time\nif os.environ['NODE_RANK'] == '1': sys.exit(4)\ntime.sleep(600)"
    run = bench.run(bench.nodes_job(script, 2))
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details == (
        "Job run artifact execution failed with exit code 4: node 1 of node-group ended with exit "
        "code 4; 2 of the 2 nodes of node-group had to succeed, so what still ran was stopped "
        f"({RAN})."
    )
    assert [group.lifecycle_state for group in run.node_group_details_list] == ["FAILED"]


def test_as_many_nodes_as_must_succeed_are_enough(bench: Bench) -> None:
    script = "import os, sys\nsys.exit(int(os.environ['NODE_RANK'] == '1'))"
    run = bench.run(bench.nodes_job(script, 3, minimum_success_replicas=2))
    assert run.lifecycle_state == "SUCCEEDED"


def test_the_host_of_one_node_fails(bench: Bench) -> None:
    script = "import os, time\nprint('up', os.environ['NODE_RANK'])\ntime.sleep(600)"
    run = bench.work.run(bench.nodes_job(script, 2))
    bench.until_line(run, "up 0")
    bench.until_line(run, "up 1")
    assert [node.node for node in bench.served.nodes] == [0, 1]
    bench.served.kill_node(run.id, 1)
    run = bench.ended(run)
    assert run.lifecycle_state == "FAILED"
    assert "node 1 of node-group was killed" in run.lifecycle_details


def test_names_of_nodes_lead_to_them(bench: Bench) -> None:
    if (bench.served.executes or {})["isolation"] == "none":
        pytest.skip("nodes have no names of their own where they are not kept apart")
    script = """
import json, os, socket
mine = socket.gethostbyname(socket.gethostname())
nodes = json.load(open(os.environ["CLUSTER_NODES_METADATA_FILE"]))
print(json.dumps([mine, socket.gethostbyname(os.environ["FQDN"]),
                  nodes[int(os.environ["NODE_RANK"])]["IPAddress"]]))
"""
    run = bench.run(bench.nodes_job(script, 2))
    found = [json.loads(line) for line in bench.lines(run)]
    assert len(found) == 2
    assert all(len(set(addresses)) == 1 for addresses in found)
    assert found[0] != found[1]
