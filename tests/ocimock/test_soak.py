"""Eight clients at once, faults, and a ``kill -9`` in the middle: nothing acknowledged is lost.

``OCIMOCK_SOAK_SECONDS`` lets it go on for longer than its 30 seconds.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import oci

from ocimock import ServedCloud, Settings
from tests.ocimock.soak import ABSENT, BUCKET, NS, Clients, Signals, SoakClient, content
from tests.servers import started_server

_SECONDS = float(os.environ.get("OCIMOCK_SOAK_SECONDS", "30"))
_CLIENTS = 8
_PATIENCE = 60.0  # seconds beyond its time in which a client must have done something
_M = oci.data_science.models
# Each strikes some of the writes; reads meet the death of the server only.
_FAULTS = (
    "429 on 5 % of PUT /n/*/b/*/o/*, seed 1",
    "503 on 5 % of POST /projects, seed 2",
    "429 on 5 % of POST /jobRuns, seed 3",
    "503 on 5 % of POST /n/*/b/*/u/*, seed 4",
    "drop the answer of 5 % of PUT /n/*/b/*/o/*, seed 5",
    "drop the answer of 5 % of POST /projects, seed 6",
    "drop the answer of 5 % of POST /jobRuns, seed 7",
    "drop the answer of 5 % of DELETE /n/*/b/*/o/*, seed 8",
    "drop the answer of 5 % of POST /n/*/b/*/u/*, seed 9",
)
_CREATES = ("POST /projects", "POST /jobRuns")


class _Server:
    """One home, one state file, one port; the process changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *faults: str) -> ServedCloud:
        options = ["--pace", "0", "--port", str(self._port)]
        options += ["--state", str(self._folder / "state.db")]
        self._process, found = started_server(self._folder / "home", *options)
        served = ServedCloud(found)
        for rule in faults:
            served.faults.add(rule)
        return served

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    server, signals = _Server(tmp_path), Signals()
    try:
        served = server.start()
        ids = _prepare(served)
        soakers = [SoakClient(number, _clients(served), ids, signals) for number in range(_CLIENTS)]
        for rule in _FAULTS:
            served.faults.add(rule)
        signals.up.set()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            runs = [pool.submit(soaker.run) for soaker in soakers]
            try:
                _go_on(signals, soakers, runs)
                struck = [rule for rule in served.faults.rules if rule.struck]
                signals.up.clear()
                _lose_answers(served, signals)
                server.kill()
                server.start(*_FAULTS)
                signals.up.set()
                _go_on(signals, soakers, runs)
            finally:
                signals.enough.set()
                signals.up.set()
        for run in runs:
            run.result()
        server.kill()
        _check(server.start(), soakers)
    finally:
        server.kill()
    assert any("drop" in rule.rule for rule in struck), "no answer was ever dropped"
    assert any("drop" not in rule.rule for rule in struck), "no call was ever refused"


def _go_on(signals: Signals, soakers: Sequence[SoakClient], runs: Sequence[Future[None]]) -> None:
    """For half of the time, and until each client has written something in it."""
    before = [soaker.ledger.acknowledged for soaker in soakers]
    assert not signals.enough.wait(_SECONDS / 2)
    deadline = time.monotonic() + _PATIENCE
    while any(
        soaker.ledger.acknowledged == count for soaker, count in zip(soakers, before, strict=True)
    ):
        for run in runs:
            if run.done():
                run.result()
        assert time.monotonic() < deadline, "a client gets nothing done"
        assert not signals.enough.wait(_SECONDS / 10)


def _lose_answers(served: ServedCloud, signals: Signals) -> None:
    """Leave creates whose answers were lost: their clients ask again when the server is back."""
    rules = {served.faults.add(f"drop the answer of every {call}").rule for call in _CREATES}
    deadline = time.monotonic() + _PATIENCE
    while not any(rule.struck for rule in served.faults.rules if rule.rule in rules):
        assert time.monotonic() < deadline, "no create was under way"
        signals.enough.wait(0.05)


def _clients(served: ServedCloud) -> Clients:
    return Clients(dict(served.config), served.url)


def _prepare(served: ServedCloud) -> dict[str, str]:
    """What the clients share: a bucket, and a job to run."""
    clients, compartment = _clients(served), Settings().compartment_id
    clients.storage.create_bucket(
        NS,
        oci.object_storage.models.CreateBucketDetails(name=BUCKET, compartment_id=compartment),
    )
    project = clients.science.create_project(
        _M.CreateProjectDetails(compartment_id=compartment, display_name="shared")
    ).data.id
    job = clients.science.create_job(
        _M.CreateJobDetails(
            project_id=project,
            compartment_id=compartment,
            job_configuration_details=_M.DefaultJobConfigurationDetails(),
            job_infrastructure_configuration_details=(
                _M.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                    shape_name="VM.Standard2.1", block_storage_size_in_gbs=50
                )
            ),
        )
    ).data.id
    clients.science.create_job_artifact(
        job, b"print()", content_disposition="attachment; filename=job.py"
    )
    return {"compartment": compartment, "project": project, "job": job}


def _check(served: ServedCloud, soakers: Sequence[SoakClient]) -> None:
    """What stands is what the clients were told, and nothing half done."""
    clients = _clients(served)
    objects = {name: held for one in soakers for name, held in one.ledger.objects.items()}
    listed = _all(clients.storage.list_objects, NS, BUCKET, limit=1000)
    assert {found.name for found in listed} <= set(objects)
    for name, may_hold in objects.items():
        found = content(clients.storage, name)
        assert found in may_hold, f"{name}: {found} is none of {may_hold}"
        assert (found != ABSENT) == (name in {one.name for one in listed}), name
    compartment = Settings().compartment_id
    standing = {
        "project": _all(clients.science.list_projects, compartment, limit=100),
        "run": _all(clients.science.list_job_runs, compartment, limit=100),
    }
    ids = {kind: {one.id: one.display_name for one in found} for kind, found in standing.items()}
    counts = {kind: Counter(names.values()) for kind, names in ids.items()}
    for soaker in soakers:
        for (kind, name), identifier in soaker.ledger.created.items():
            if identifier:
                assert ids[kind].get(identifier) == name, f"{kind} {name} is gone"
            # Where the end came before an answer it may have happened, but not twice.
            assert counts[kind][name] <= 1, f"{kind} {name} was created more than once"


def _all(operation: Any, *args: Any, **options: Any) -> list[Any]:
    found = oci.pagination.list_call_get_all_results(operation, *args, **options).data
    return list(getattr(found, "objects", found))
